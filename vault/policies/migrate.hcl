# The migration job: a login that owns the schema, for minutes, and nothing else.

path "database/creds/@name@-migrate" {
  capabilities = ["read"]
}

path "sys/leases/renew" {
  capabilities       = ["update"]
  allowed_parameters = {
    "lease_id"  = ["database/creds/@name@-migrate/*"]
    "increment" = []
  }
}

path "sys/leases/revoke" {
  capabilities       = ["update"]
  allowed_parameters = {
    "lease_id" = ["database/creds/@name@-migrate/*"]
  }
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

path "sys/wrapping/lookup" {
  capabilities = ["update"]
}

path "sys/wrapping/unwrap" {
  capabilities = ["update"]
}
