# A person on call: sees how things stand, pulls the emergency brakes, replaces a lost deployer or rotator identity.
# Values of secrets stay out of reach, and so do policies and role definitions.

path "sys/health" {
  capabilities = ["read", "sudo"]
}

path "sys/mounts" {
  capabilities = ["read"]
}

path "sys/policies/acl/@name@-*" {
  capabilities = ["read"]
}

path "@kv@/metadata/@name@/*" {
  capabilities = ["read", "list"]
}

# The kill switch of one key version: deleted can be undone, destroyed cannot.
path "@kv@/delete/@name@/*" {
  capabilities = ["update"]
}

path "@kv@/undelete/@name@/*" {
  capabilities = ["update"]
}

path "@kv@/destroy/@name@/*" {
  capabilities = ["update"]
}

path "transit/keys/@name@-*" {
  capabilities = ["read"]
}

path "database/config/@name@" {
  capabilities = ["read"]
}

path "database/roles/@name@-*" {
  capabilities = ["read"]
}

path "database/static-roles/@name@-app-static" {
  capabilities = ["read"]
}

path "auth/approle/role/@name@-app" {
  capabilities = ["read"]
}

path "auth/approle/role/@name@-migrate" {
  capabilities = ["read"]
}

path "sys/leases/lookup/database/creds/@name@-app" {
  capabilities = ["list", "sudo"]
}

path "sys/leases/revoke-prefix/database/creds/@name@-app" {
  capabilities = ["update", "sudo"]
}

path "sys/leases/revoke-prefix/database/creds/@name@-migrate" {
  capabilities = ["update", "sudo"]
}

path "auth/token/create/@name@-deployer" {
  capabilities = ["create", "update"]
}

path "auth/token/create/@name@-rotator" {
  capabilities = ["create", "update"]
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
