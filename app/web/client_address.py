"""Where a request comes from: the peer, or what the configured proxies say of it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from quart import has_request_context, websocket

from app.web.current import this_request

STATE_KEY = "scriptorium.client"
UNKNOWN = "::"

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_REMEMBERED = 4096


def parse_address(text: str) -> Address | None:
    """Read an address as peers and proxies write it (port, brackets, zone, mapped IPv4), or None."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def address_block(text: str) -> str:
    """Return what counts as one caller: an IPv4 address, or the /64 that a single IPv6 host can roam in."""
    address = parse_address(text)
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


class TrustedProxies:
    """The peers whose `X-Forwarded-*` headers are believed."""

    def __init__(self, networks: Iterable[Network | str]) -> None:
        self._networks: Sequence[Network] = [ip_network(str(network), strict=False) for network in networks]
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusts(self, peer: str) -> bool:
        """Tell whether `peer` is one of the configured proxies."""
        if not self._networks:
            return False
        verdict = self._known.get(peer)
        if verdict is None:
            address = parse_address(peer)
            verdict = address is not None and any(address in network for network in self._networks)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[peer] = verdict
        return verdict

    def client(self, peer: str, forwarded_for: Sequence[bytes]) -> str:
        """Return the nearest hop that is not a trusted proxy, reading from the right.

        Only the entry a trusted hop appended is believed: everything left of the first stranger, or of the
        first entry that is no address, may have been written by anybody.
        """
        nearest = peer
        for entry in reversed(b",".join(forwarded_for).decode("latin-1").split(",")):
            address = parse_address(entry)
            if address is None:
                break
            nearest = str(address)
            if not self.trusts(nearest):
                break
        return nearest


def client_address() -> str:
    """Return the address of whoever sent the request being answered."""
    return address_of(this_request().scope if has_request_context() else websocket.scope)


def address_of(scope: Any) -> str:
    """Return the address of whoever sent the request with this scope."""
    known: str | None = scope.get("state", {}).get(STATE_KEY)
    if known is not None:
        return known
    peer = scope.get("client") or (UNKNOWN, 0)
    address = parse_address(str(peer[0]))
    return UNKNOWN if address is None else str(address)
