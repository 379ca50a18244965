-- The lasting login of the application, if one is wanted: it may sign in from its first rotation on, and only Vault ever
-- knows how.
ALTER ROLE "{{name}}" LOGIN PASSWORD '{{password}}';
