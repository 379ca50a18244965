"""Takes out of text what must never be written down: credentials, tokens, keys, whatever field they sit in."""

from __future__ import annotations

import re
from typing import Any

MASK = "[redacted]"

# Credentials by their look: Vault and OpenBao tokens, transit ciphertext, our API keys, JWTs (RFC 7519), the
# credentials of an Authorization header (RFC 9110 11.4), and user:password in a URL.
_LOOKS = re.compile(
    r"""
      \b(?:hv[sbr]|s|b|r)\.[A-Za-z0-9_-]{20,}
    | \bvault:v\d+:[A-Za-z0-9+/=_-]+
    | \bscr_[A-Za-z0-9_-]{8,}
    | \beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?
    | (?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}
    | (?<=://)[^\s/:@]+:[^\s/@]+(?=@)
    | (?i:\$argon2(?:id|i|d)\$)[^\s"']+
    | -----BEGIN[ A-Z]*PRIVATE[ ]KEY-----.*?(?:-----END[ A-Z]*PRIVATE[ ]KEY-----|$)
    """,
    re.VERBOSE | re.DOTALL,
)

# name=value and "name": "value" where the name alone says that the value is none of a log's business.
_NAMED = re.compile(
    r"""(?ix)
    (?P<name>\b(?:[a-z0-9_-]*password|passwd|passphrase|secret_id|client_secret|refresh_token|access_token|form_token
      |x-vault-token|set-cookie|cookie|authorization|api_key|otp)\b["']?\s*[=:]\s*)
    (?P<value>b?"[^"]*"|b?'[^']*'|[^\s,;&)}\]]+(?:;[^\r\n]*)?)
    """
)

# What PostgreSQL and its driver add to an error about a row or a value: the row or the value itself.
_ROWS = re.compile(
    r"""(?msx)
    (?P<name>^[ |]*DETAIL:\ +|invalid\ input\ for\ query\ argument\ \$\d+[^:\n]*:\ )
    .*?(?=^[ |]*(?:HINT:|\[SQL:|Traceback\ |The\ above\ exception|During\ handling)|\Z)
    """
)

_SECRET_NAMES = frozenset(
    {
        "password", "passwd", "passphrase", "new_password", "current_password", "authorization", "cookie", "set-cookie",
        "set_cookie", "token", "access_token", "refresh_token", "form_token", "client_secret", "secret", "secret_id",
        "api_key", "private_key", "x-vault-token", "otp", "pepper",
    }
)  # fmt: skip


def redact(text: str) -> str:
    """Return `text` with everything that looks like a credential masked."""
    return _NAMED.sub(lambda found: found["name"] + MASK, _LOOKS.sub(MASK, text))


def redact_error(text: str) -> str:
    """The same for what was raised, also without the rows and values that were in the database's way."""
    return redact(_ROWS.sub(lambda found: f"{found['name']}{MASK}\n", text))


def redact_value(name: str, value: Any) -> Any:
    """Return a log field fit to be written: secret by its name, by its look, or as it was; containers inside out."""
    if name.lower() in _SECRET_NAMES or name.lower().endswith("password"):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): redact_value(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value("", inner) for inner in value]
    return redact(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value))
