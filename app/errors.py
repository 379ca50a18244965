"""The few ways a request can be refused, said once and shown by both faces.

Services raise these; `app.web.problems` turns them into `application/problem+json` (RFC 9457) under the API and
`app.web.errors` into a page or a redirect under the pages.  None of them carries anything a stranger may not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal with an HTTP status, a stable machine-readable code and one sentence for people."""

    status = 500
    code = "error"
    title = "Something went wrong"

    def __init__(self, detail: str | None = None, *, code: str | None = None) -> None:
        self.detail = detail or self.title
        if code is not None:
            self.code = code
        super().__init__(self.detail)


class Invalid(DomainError):
    """A field holds something we cannot accept; `errors` maps each field to what is wrong with it."""

    status = 422
    code = "invalid"
    title = "Some fields need another look"

    def __init__(self, errors: Mapping[str, Sequence[str]], detail: str | None = None) -> None:
        super().__init__(detail)
        self.errors: dict[str, list[str]] = {name: list(messages) for name, messages in errors.items()}


class NotAuthenticated(DomainError):
    """Nobody we know is calling (RFC 9110 15.5.2).  `challenge` is the `WWW-Authenticate` value to send."""

    status = 401
    code = "not_authenticated"
    title = "Sign in first"

    def __init__(self, detail: str | None = None, *, code: str | None = None, challenge: str = "Bearer") -> None:
        super().__init__(detail, code=code)
        self.challenge = challenge


class Forbidden(DomainError):
    """We know who is calling, and they may not.  `message` is written for the person; `staff` never leaves the log."""

    status = 403
    code = "forbidden"
    title = "You may not do this"

    def __init__(self, detail: str | None = None, *, code: str | None = None, staff: str = "") -> None:
        super().__init__(detail, code=code)
        self.staff = staff


class NotFound(DomainError):
    """No such thing, or none that this caller may know of: the two are never told apart (OWASP ASVS 8.2.2)."""

    status = 404
    code = "not_found"
    title = "There is nothing here"


class Gone(DomainError):
    """There was such a thing for everybody to see, and it was withdrawn (RFC 9110 15.5.11)."""

    status = 410
    code = "gone"
    title = "This is no longer here"


class Conflict(DomainError):
    """The thing is no longer in the state the caller believed (RFC 9110 15.5.10)."""

    status = 409
    code = "conflict"
    title = "Somebody was faster"


class PreconditionRequired(DomainError):
    """A change must say which version it starts from, in `If-Match` (RFC 6585 3)."""

    status = 428
    code = "precondition_required"
    title = "Say which version you changed"


class NotActive(Forbidden):
    """We know who is calling, but their account is pending, declined or suspended."""

    def __init__(self, status: str) -> None:
        super().__init__(f"This account is {status}.", code=f"account_{status}")


class InsufficientScope(Forbidden):
    """We know who is calling, but the token or key they use was not made for this (RFC 6750 3.1)."""

    code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs a token or key with the scope {scope}.", staff=f"lacks scope {scope}")
        self.scope = scope


class NotFresh(Forbidden):
    """We know who is calling, but they must prove it again before this (ASVS 7.5.1)."""

    code = "not_fresh"
    title = "Please sign in again to do this"


class Stale(Conflict):
    """The caller's `If-Match` names an older version (RFC 9110 13.1.1); `current` is the version now, `link` where it is."""

    status = 412
    code = "stale"
    title = "This has changed since you read it"

    def __init__(self, detail: str | None = None, *, current: int | None = None, link: str = "") -> None:
        super().__init__(detail)
        self.current = current
        self.link = link


class Throttled(DomainError):
    """Too much in too short a time (RFC 6585 4).  `retry_after` is in whole seconds, at least 1."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = max(1, retry_after)


class Unavailable(DomainError):
    """Something we depend on is away for now (RFC 9110 15.6.4).  `retry_after` is in whole seconds."""

    status = 503
    code = "unavailable"
    title = "Not available right now"

    def __init__(self, detail: str | None = None, *, retry_after: int = 5, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = max(1, retry_after)
