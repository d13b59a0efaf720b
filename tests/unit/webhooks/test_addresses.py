"""Which addresses webhooks may reach."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.webhooks.addresses import is_allowed, may_reach

PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("100.100.100.200", "168.63.129.16", "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not may_reach(address, ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_public_is(address: str) -> None:
    assert may_reach(address, ())
    assert not is_allowed(address, ())


def test_a_named_network_is_reached_and_nothing_beside_it() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd12::/16"))
    assert [may_reach(each, allowed) for each in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1")] == [True] * 3
    assert not any(may_reach(each, allowed) for each in ("10.2.0.1", "127.0.0.1", "fd13::1"))


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_itself_however_it_is_written(number: int) -> None:
    plain = IPv4Address(number)
    within = (IPv6Address(0xFFFF << 32 | number), IPv6Address(int(IPv6Address("64:ff9b::")) | number))
    assert {may_reach(str(each), ()) for each in within} == {may_reach(str(plain), ())}
    assert not may_reach(str(plain), ()) or plain.is_global
