"""The OAuth 2.0 authorization server and OpenID provider: clients, consent, codes, and the endpoints of the RFCs.

Access and refresh tokens themselves belong to `app.tokens`; what is granted here is a token family with a client's name
on it.  Implemented: RFC 6749 (code, client credentials, refresh), 7636 (S256 only), 7009, 7662, 8414, 9068, 9207, the
advice of 9700, and OpenID Connect Core for the code flow.
"""
