# Rolls secrets forward without being able to read one: it writes new versions and sees only their metadata.

path "@kv@/data/@name@/*" {
  capabilities = ["create", "update", "patch"]
}

path "@kv@/metadata/@name@/*" {
  capabilities = ["read", "update", "patch"]
}

# The kill switch of old versions (an emergency).  It adds no power: enough new versions push the old ones out as well.
path "@kv@/destroy/@name@/*" {
  capabilities = ["update"]
}

path "transit/keys/@name@-audit" {
  capabilities = ["read"]
}

path "transit/keys/@name@-audit/rotate" {
  capabilities = ["update"]
}

path "transit/keys/@name@-personal" {
  capabilities = ["read"]
}

path "transit/keys/@name@-personal/rotate" {
  capabilities = ["update"]
}

# A new data key for personal fields, wrapped: the rotator never sees it open, and may decrypt nothing.
path "transit/datakey/wrapped/@name@-personal" {
  capabilities = ["update"]
}

path "transit/keys/@name@-token" {
  capabilities = ["read"]
}

path "transit/keys/@name@-token/rotate" {
  capabilities = ["update"]
}

# The kill switch of a key that cannot be destroyed: older versions verify nothing any more.
path "transit/keys/@name@-token/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
  }
}

# A new password for the lasting login, where one was provisioned.
path "database/rotate-role/@name@-app-static" {
  capabilities = ["update"]
}

# The manager's own password in PostgreSQL, and the end of every application login at once (an emergency).
path "database/rotate-root/@name@" {
  capabilities = ["update"]
}

path "sys/leases/revoke-prefix/database/creds/@name@-app" {
  capabilities = ["update", "sudo"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
