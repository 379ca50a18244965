# OpenBao on one machine, persistent and unsealing itself.  The words between at-signs are filled in by local/.

ui                = false
api_addr          = "@address@"
cluster_addr      = "http://127.0.0.1:@cluster_port@"
default_lease_ttl = "1h"
max_lease_ttl     = "768h"
log_level         = "info"
log_format        = "json"

storage "raft" {
  path                   = "@data@"
  node_id                = "one"
  # A single node elects itself; this makes it do so in about two seconds instead of nine.
  performance_multiplier = 1
}

listener "tcp" {
  address     = "127.0.0.1:@port@"
  tls_disable = true

  # The door by which the holder of the recovery key gets a root token again.  Shut, except for the moment local/ needs it.
  disable_unauthed_generate_root_endpoints = @owner_door_shut@
}

# OpenBao only: HashiCorp Vault has no static seal and enables audit devices through its API.
seal "static" {
  current_key_id = "@key_id@"
  current_key    = "file://@key_file@"
}

audit "file" "file" {
  options {
    file_path = "@audit@"
    mode      = "0600"
  }
}
