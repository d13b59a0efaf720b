"""Addresses as text, and whether they lie in networks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


def read_address(text: str) -> Address:
    """The address without its zone (`%eth0`), and an IPv4 address as such also where a socket for both families writes
    it as IPv6. Raises ValueError."""
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped


def lies_in(address: str, networks: Sequence[str]) -> bool:
    """`networks` as CIDR. What is no address lies nowhere."""
    try:
        found = read_address(address)
    except ValueError:
        return False
    return any(found in ip_network(network) for network in networks)
