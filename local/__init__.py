"""The whole house on one machine without containers: PostgreSQL, OpenBao and Valkey from their wheels, for
development, tests and trying things out."""
