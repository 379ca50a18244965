# OpenBao in its container, unsealing itself with the key that came as the secret `seal_key`.

ui                = false
api_addr          = "https://vault:8200"
cluster_addr      = "https://vault:8201"
default_lease_ttl = "1h"
max_lease_ttl     = "768h"
log_level         = "info"
log_format        = "json"

storage "raft" {
  path                   = "/vault/file"
  node_id                = "one"
  # A single node elects itself; this makes it do so in about two seconds instead of nine.
  performance_multiplier = 1
}

listener "tcp" {
  address         = "0.0.0.0:8200"
  tls_cert_file   = "/vault/tls/certificate.pem"
  tls_key_file    = "/vault/tls/key.pem"
  tls_min_version = "tls12"
}

seal "static" {
  current_key_id = "one"
  current_key    = "file:///vault/tls/seal.key"
}

# Every request on standard output, where the container's log takes it; values appear only as HMACs.
audit "file" "stdout" {
  options {
    file_path = "stdout"
  }
}
