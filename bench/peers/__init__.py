"""Peers: the least that could do the same work."""
