-- Stable group roles nobody can sign in with, and the manager through which Vault makes short-lived logins inside them.
-- Run as superuser in any database; running it again changes nothing.  The manager gets its password elsewhere,
-- and Vault replaces that password in its first minute (rotate-root).

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriptorium_owner') THEN CREATE ROLE scriptorium_owner NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriptorium_rw') THEN CREATE ROLE scriptorium_rw NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriptorium_ro') THEN CREATE ROLE scriptorium_ro NOLOGIN; END IF;
  -- The lasting login (SCRIPTORIUM_DATABASE_LOGIN=static).  Nobody can sign in with it until Vault gives it a password.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriptorium_app') THEN
    CREATE ROLE scriptorium_app NOLOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 400;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scriptorium_vault') THEN
    CREATE ROLE scriptorium_vault LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOREPLICATION CONNECTION LIMIT 10;
  END IF;
END $$;

-- Since PostgreSQL 16 a CREATEROLE role holds only ADMIN on what it creates; without INHERIT and SET it may not
-- take over what a login leaves behind, and revoking would fail.
ALTER ROLE scriptorium_vault SET createrole_self_grant = 'set, inherit';

GRANT scriptorium_rw, scriptorium_ro TO scriptorium_vault WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;

GRANT scriptorium_owner TO scriptorium_vault WITH ADMIN TRUE, INHERIT TRUE, SET TRUE;

-- The lasting login works inside the same stable group as the short-lived ones; Vault may change its password.
GRANT scriptorium_rw TO scriptorium_app;

ALTER ROLE scriptorium_app SET role = 'scriptorium_rw';

GRANT scriptorium_app TO scriptorium_vault WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;

-- Revoking a login ends its open sessions.
GRANT pg_signal_backend TO scriptorium_vault;
