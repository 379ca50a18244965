"""What the containers of docker-compose.yml run beside the application: making ready, bringing Vault up, handing over.

Nothing in `app` imports this.  It speaks to Vault through the top-level `vault`, as `local` does on one machine.
"""
