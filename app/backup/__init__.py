"""Backups: everything people made, in one file, and getting it back.  What is secret stays in Vault and has its own."""
