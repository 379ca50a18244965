# Whoever starts the application: mints secret-ids for two roles, only wrapped and only for a short time.
# It never sees a secret-id, so what it hands over cannot be used twice without being noticed.

path "auth/approle/role/@name@-app/secret-id" {
  capabilities     = ["create", "update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "15m"
}

path "auth/approle/role/@name@-migrate/secret-id" {
  capabilities     = ["create", "update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "15m"
}

path "auth/approle/role/@name@-app/role-id" {
  capabilities = ["read"]
}

path "auth/approle/role/@name@-migrate/role-id" {
  capabilities = ["read"]
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
