-- Ends a login and every session it has open; dropping the role alone would leave those sessions writing.
-- One block, so one transaction (the engine keeps a text whole when it finds END between blanks).  A login that is
-- already gone is no error, so a lease can always be revoked; the timeout keeps one stuck lock from stopping new logins.
DO $do$ BEGIN
  SET LOCAL lock_timeout = '5s';
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}') THEN
    ALTER ROLE "{{name}}" NOLOGIN;
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';
    REASSIGN OWNED BY "{{name}}" TO scriptorium_owner;
    DROP OWNED BY "{{name}}";
    DROP ROLE "{{name}}";
  END IF;
 END $do$
