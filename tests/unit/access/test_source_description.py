"""Which connections are a source's, by where they come from and what they speak."""

from __future__ import annotations

import pytest

from service.access.denial import KeyForbidden
from service.access.networks import lies_in
from service.access.source_description import check_connection
from service.ingest.source import Source

OFFICE = ("10.1.0.0/16", "203.0.113.7/32", "2001:db8::/32")


@pytest.mark.parametrize("address", ["10.1.255.3", "203.0.113.7", "2001:db8::1", "::ffff:10.1.2.3"])
def test_an_address_lies_in_one_of_the_networks(address: str) -> None:
    assert lies_in(address, OFFICE)


@pytest.mark.parametrize("address", ["10.2.0.1", "203.0.113.8", "2001:db9::1", "::ffff:10.2.0.1", "unknown", ""])
def test_any_other_address_does_not(address: str) -> None:
    assert not lies_in(address, OFFICE)


def test_a_source_of_which_nothing_is_said_connects_from_anywhere_in_any_dialect() -> None:
    check_connection(Source(name="pbx"), ("twilio",), "unknown")


def test_a_connection_from_elsewhere_or_in_another_dialect_is_told_so() -> None:
    source = Source(name="pbx", dialect="twilio", networks=OFFICE)
    check_connection(source, ("twilio",), "10.1.0.1")
    with pytest.raises(KeyForbidden, match=r"does not connect from 10\.2\.0\.1"):
        check_connection(source, ("twilio",), "10.2.0.1")
    with pytest.raises(KeyForbidden, match="speaks twilio"):
        check_connection(source, ("native",), "10.1.0.1")
