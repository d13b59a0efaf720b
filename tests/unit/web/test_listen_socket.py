"""The address is taken before anything else is begun, or refused in a sentence."""

from __future__ import annotations

import socket

import pytest

from service.unusable import Unusable
from service.web.listen_socket import bound


def test_a_free_port_is_taken_and_nobody_is_let_in_yet() -> None:
    with bound("127.0.0.1", 0) as [taken]:
        port = taken.getsockname()[1]
        assert port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        taken.listen()
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    assert taken.fileno() == -1


def test_every_address_of_a_name_gets_the_same_port() -> None:
    with bound("localhost", 0) as sockets:
        assert len({each.getsockname()[1] for each in sockets}) == 1


def test_a_port_that_another_program_has_is_refused_with_the_settings_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Unusable, match=rf"127\.0\.0\.1 port {port}: another program does.*CALLWARDEN_PORT"):  # noqa: SIM117
            with bound("127.0.0.1", port):
                raise AssertionError("taken twice")


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("192.0.2.1", "no interface of this machine"),
        ("no-such-host.invalid", "no address is known"),
        ("a" * 300, "no address is known"),
    ],
)
def test_a_host_that_is_not_this_machine_is_refused(host: str, why: str) -> None:
    with pytest.raises(Unusable, match=why):  # noqa: SIM117
        with bound(host, 0):
            raise AssertionError("taken")
