"""Which addresses webhooks may reach: public ones, and those of networks that a setting names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from service.access.networks import Address, read_address

Network: TypeAlias = IPv4Network | IPv6Network

_NAT64 = ip_network("64:ff9b::/96")
_REFUSED: tuple[Network, ...] = (
    ip_network("168.63.129.16/32"),  # a cloud's metadata on a public address (Azure WireServer)
    ip_network("2002::/16"),  # 6to4 and Teredo: they lead to an IPv4 address of somebody's choice
    ip_network("2001::/32"),
    ip_network("64:ff9b:1::/48"),
)


def may_reach(address: str, allowed: Sequence[Network]) -> bool:
    """Whether the address is public or allowed. An IPv4 address within an IPv6 one counts as itself."""
    return is_allowed(address, allowed) or _public(_meant(address))


def is_allowed(address: str, allowed: Sequence[Network]) -> bool:
    """Whether the address is one of the allowed networks'."""
    meant = _meant(address)
    return any(meant in network for network in allowed)


def _public(address: Address) -> bool:
    refused = any(address in network for network in _REFUSED)
    return address.is_global and not address.is_multicast and not refused


def _meant(address: str) -> Address:
    found = read_address(address)
    return IPv4Address(int(found) & 0xFFFFFFFF) if found in _NAT64 else found
