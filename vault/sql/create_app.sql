-- A login for the serving application.  INHERIT, because CONNECT is checked before the role is switched;
-- the switch makes current_user the stable group while session_user still names the lease.
CREATE ROLE "{{name}}" LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' CONNECTION LIMIT 80;
GRANT scriptorium_rw TO "{{name}}";
ALTER ROLE "{{name}}" SET role = 'scriptorium_rw';
