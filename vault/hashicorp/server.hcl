# HashiCorp Vault, one node, TLS at the listener.  Unseal it with its key shares or a KMS seal of the house;
# provisioning is the same as for OpenBao (python -m vault.provision).

ui                = false
api_addr          = "https://vault:8200"
cluster_addr      = "https://vault:8201"
default_lease_ttl = "1h"
max_lease_ttl     = "768h"
log_level         = "info"
log_format        = "json"
# Integrated storage asks for this; give the container IPC_LOCK or keep its swap off or encrypted.
disable_mlock     = true

storage "raft" {
  path    = "/vault/file"
  node_id = "one"
}

listener "tcp" {
  address       = "0.0.0.0:8200"
  tls_cert_file = "/vault/tls/certificate.pem"
  tls_key_file  = "/vault/tls/key.pem"
}
