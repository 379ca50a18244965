"""The only conversation with Vault: token, leases and key rings are held here and handed on as frozen snapshots.

Nothing outside this package talks to Vault, and nothing inside it knows about requests.  The rest of the application
sees a `SecretSource` (`app.vault.snapshot`): in one process a `Holder`, behind several workers a `Subscriber`.
"""
