"""Credentials of programs: signed access tokens, rotating refresh tokens, and the checks that recognise them."""
