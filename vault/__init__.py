"""What a Vault or OpenBao server must be told before Scriptorium can live on it: policies, engines, roles, keys.

This is the deployer's side and needs a privileged token once.  The application's own conversation with Vault is
`app.vault`; neither imports the other.
"""
