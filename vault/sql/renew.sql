-- Renewal moves the end and nothing else: a renewal is not given the secret, and naming it here would store
-- the placeholder itself as the new one.
ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}';
