"""Needs: the smallest facts an identity can provide and a permission can demand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """One fact, such as `Need("role", "editor")`.  Two needs are the same when method, value and type are."""

    method: str
    value: str
    type: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.value}" + (f" of {self.type}" if self.type else "")


def UserNeed(value: object) -> Need:  # noqa: N802 - Flask-Principal's name, which its users look for
    """The identity is this very person."""
    return Need("id", str(value))


def RoleNeed(value: str) -> Need:  # noqa: N802 - as above
    """The identity holds this role."""
    return Need("role", value)


def TypeNeed(value: str) -> Need:  # noqa: N802 - as above
    """The identity may act on this type of thing, e.g. "document"."""
    return Need("type", value)


def ActionNeed(value: str) -> Need:  # noqa: N802 - as above
    """The identity may do this action, e.g. "publish"."""
    return Need("action", value)


def ScopeNeed(value: str) -> Need:  # noqa: N802 - as above
    """The credential carries this OAuth scope (RFC 6749 3.3); browser sessions carry all of them."""
    return Need("scope", value)


def ItemNeed(method: str, value: object, type: str) -> Need:  # noqa: N802, A002 - Flask-Principal's signature
    """The identity may do `method` to the one thing of `type` with id `value`: `ItemNeed("edit", id, "document")`."""
    return Need(method, str(value), type)
