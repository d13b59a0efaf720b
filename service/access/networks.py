"""Whether an address lies in networks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network


def lies_in(address: str, networks: Sequence[str]) -> bool:
    """`networks` as CIDR. An IPv4 address counts as such also where a socket for both families writes it as IPv6. What
    is no address lies nowhere."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ip_network(network) for network in networks)
