"""What OAuth endpoints answer when they refuse: the codes of RFC 6749 5.2 and OpenID Connect Core 3.1.2.6."""

from __future__ import annotations

from app.errors import DomainError


class OAuthError(DomainError):
    """A refusal with an OAuth error code.  `basic` asks for client authentication by HTTP Basic (401)."""

    status = 400

    def __init__(self, error: str, description: str, *, status: int = 400, basic: bool = False) -> None:
        super().__init__(description, code=error)
        self.status = status
        self.basic = basic


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def invalid_client() -> OAuthError:
    """The client is unknown, or did not prove who it is; never says which."""
    return OAuthError("invalid_client", "The client is not known or did not prove who it is.", status=401, basic=True)


def invalid_grant(description: str = "The code or token is not good, or was not given to this client.") -> OAuthError:
    return OAuthError("invalid_grant", description)


def invalid_scope() -> OAuthError:
    return OAuthError("invalid_scope", "The client may not ask for all of these scopes.")
