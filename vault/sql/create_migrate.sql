-- A login for one migration run.  Everything it creates belongs to the stable owner.
CREATE ROLE "{{name}}" LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
  PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' CONNECTION LIMIT 5;
GRANT scriptorium_owner TO "{{name}}";
ALTER ROLE "{{name}}" SET role = 'scriptorium_owner';
