"""The address to listen on, taken before anything that takes time is begun."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from service.unusable import Unusable

_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""A name may stand for an address of a kind that this machine has not."""


@contextmanager
def bound(host: str, port: int) -> Generator[list[socket.socket]]:
    """Sockets that have the address and do not listen yet: gateways that come early are refused and come again.

    Port 0 takes a free one. Blocks while the name is looked up. Raises Unusable.
    """
    sockets: list[socket.socket] = []
    try:
        refusals: list[OSError] = []
        for family, address in _addresses(host, port):
            try:
                sockets.append(_bind(family, (address[0], _port(sockets, port), *address[2:])))
            except OSError as error:
                refusals.append(error)
        if fatal := [error for error in refusals if not sockets or error.errno not in _NOT_HERE]:
            raise Unusable(refused(host, port, fatal[0]))
        yield sockets
    finally:
        for each in sockets:
            each.close()


def refused(host: str, port: int, error: OSError) -> str:
    """Why nothing can listen there, in one sentence."""
    where = f"cannot listen on {host} port {port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where}: another program does; stop it, or choose another port with CALLWARDEN_PORT or --port"
        case errno.EADDRNOTAVAIL:
            return f"{where}: no interface of this machine has that address; 0.0.0.0 stands for all of them"
        case errno.EACCES:
            return f"{where}: this user may not; ports below 1024 are the administrator's"
        case _:
            return f"{where}: {os.strerror(error.errno) if error.errno else error}"


def _addresses(host: str, port: int) -> Sequence[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise Unusable(f"cannot listen on {host}: no address is known for that name") from error
    return list(dict.fromkeys((family, address) for family, _kind, _proto, _name, address in found))


def _port(sockets: Sequence[socket.socket], asked: int) -> int:
    """All addresses of a name get the port that the first one got."""
    return asked or (sockets[0].getsockname()[1] if sockets else 0)


def _bind(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
