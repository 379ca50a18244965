-- Who may do what in the database "scriptorium" before the first migration.  Run as superuser inside that database;
-- running it again changes nothing.

REVOKE ALL ON DATABASE scriptorium FROM PUBLIC;

GRANT CONNECT ON DATABASE scriptorium TO scriptorium_owner, scriptorium_rw, scriptorium_ro, scriptorium_vault;

-- Trusted extensions belong to a migration, so the owner may create in the database.
GRANT CREATE, TEMPORARY ON DATABASE scriptorium TO scriptorium_owner;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION scriptorium_owner;

GRANT USAGE ON SCHEMA app TO scriptorium_rw, scriptorium_ro;

ALTER DEFAULT PRIVILEGES FOR ROLE scriptorium_owner IN SCHEMA app
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO scriptorium_rw;

ALTER DEFAULT PRIVILEGES FOR ROLE scriptorium_owner IN SCHEMA app GRANT SELECT ON TABLES TO scriptorium_ro;

ALTER DEFAULT PRIVILEGES FOR ROLE scriptorium_owner IN SCHEMA app GRANT USAGE, SELECT ON SEQUENCES TO scriptorium_rw;

ALTER DATABASE scriptorium SET search_path = app;
