# The serving application.  It reads its own secrets and uses its own keys; it can list, write and administer nothing.

path "@kv@/data/@name@/*" {
  capabilities = ["read"]
}

path "@kv@/metadata/@name@/*" {
  capabilities = ["read"]
}

path "database/creds/@name@-app" {
  capabilities = ["read"]
}

# The lasting login, where one was provisioned.
path "database/static-creds/@name@-app-static" {
  capabilities = ["read"]
}

# Checkpoints of the audit trail are signed here; the public half and its versions may be read.
path "transit/sign/@name@-audit" {
  capabilities = ["update"]
}

path "transit/keys/@name@-audit" {
  capabilities = ["read"]
}

# Access tokens are signed here with SCRIPTORIUM_JWT_SIGNER=vault.
path "transit/sign/@name@-token" {
  capabilities = ["update"]
}

path "transit/keys/@name@-token" {
  capabilities = ["read"]
}

# Personal data: encrypted, decrypted and moved to a newer key, never with the key in hand.
path "transit/encrypt/@name@-personal" {
  capabilities = ["update"]
}

path "transit/decrypt/@name@-personal" {
  capabilities = ["update"]
}

path "transit/rewrap/@name@-personal" {
  capabilities = ["update"]
}

path "transit/keys/@name@-personal" {
  capabilities = ["read"]
}

# Only leases of its own database role, in the body form and in the path form.
path "sys/leases/renew" {
  capabilities       = ["update"]
  allowed_parameters = {
    "lease_id"  = ["database/creds/@name@-app/*"]
    "increment" = []
  }
}

path "sys/leases/renew/database/creds/@name@-app/*" {
  capabilities = ["update"]
}

path "sys/leases/revoke" {
  capabilities       = ["update"]
  allowed_parameters = {
    "lease_id" = ["database/creds/@name@-app/*"]
  }
}

path "sys/leases/revoke/database/creds/@name@-app/*" {
  capabilities = ["update"]
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

# A running application that is handed a fresh wrapped secret-id looks at it before it opens it.
path "sys/wrapping/lookup" {
  capabilities = ["update"]
}

path "sys/wrapping/unwrap" {
  capabilities = ["update"]
}
