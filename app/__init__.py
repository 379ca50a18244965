"""Scriptorium: a self-hosted editorial platform with a guarded door."""
