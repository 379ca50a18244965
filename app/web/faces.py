"""Which of the two faces, pages or programs, answers under a path; the one place that knows the prefixes."""

from __future__ import annotations

_PROGRAM_ROOTS = frozenset({"api", "oauth", "protected", "protected_data", "health", "metrics", ".well-known"})

# The consent page lies among the OAuth endpoints but is read by a person.
_PAGES_AMONG_THEM = frozenset({"/oauth/authorize", "/oauth/authorize/"})


def for_programs(path: str) -> bool:
    """Tell whether errors under `path` are answered as `application/problem+json` (RFC 9457) and not as a page."""
    if path.startswith("/api/"):
        return True
    return path[1:].partition("/")[0] in _PROGRAM_ROOTS and path not in _PAGES_AMONG_THEM


def is_oauth(path: str) -> bool:
    """Tell whether errors under `path` take the form of RFC 6749 5.2."""
    return path.startswith("/oauth/") and path not in _PAGES_AMONG_THEM
