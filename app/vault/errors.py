"""What can go wrong when talking to Vault, in a few words of our own; no message ever carries a value."""

from __future__ import annotations


class VaultError(Exception):
    """Vault did not do what was asked; the message names operation and reason, never a token, lease or value."""


class Down(VaultError):
    """Vault cannot answer now: unreachable, hung, overloaded, redirecting or failing inside.  Trying later may help."""


class Sealed(Down):
    """Vault answers, but is sealed or not initialised; somebody has to unseal it."""


class Denied(VaultError):
    """The token is dead or its policy does not allow this; Vault gives one answer for both."""


class Gone(VaultError):
    """The lease, or the version of a key, no longer exists or cannot be prolonged."""


class Missing(VaultError):
    """A path, or a field in it, does not exist or holds something unusable."""

    def __init__(self, path: str, field: str | None = None, reason: str | None = None) -> None:
        self.path = path
        self.field = field
        what = f"secret {path} does not exist" if field is None else f"secret {path} lacks the field '{field}'"
        super().__init__(reason or what)


class Invalid(VaultError):
    """Vault understood the request and refuses it: a spent wrapping token, a wrong context, an unknown role."""


class VaultStartError(Exception):
    """The application must not start; `exit_code` follows sysexits.h (EX_UNAVAILABLE, EX_NOPERM, EX_CONFIG)."""

    UNAVAILABLE = 69
    TRY_AGAIN = 75  # with a fresh secret-id
    TAMPERED = 77
    MISCONFIGURED = 78

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
