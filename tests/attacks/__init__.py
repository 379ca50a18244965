"""Attacks by tools other people wrote, on a whole house over TLS; by `make proof` only."""
