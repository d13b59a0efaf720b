"""In a process of its own, for what is asked of the C library holds for good."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

MANY_THREADS = """
import ctypes, threading
from service.memory import share_arenas
{begin}
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
together = threading.Barrier(6)
def allocate():
    libc.malloc(1000)
    together.wait(10)
threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def _arenas(begin: str) -> int:
    """Whatever whoever runs the tests has asked of the C library."""
    told = subprocess.run(
        [sys.executable, "-c", MANY_THREADS.format(begin=begin)],
        env={name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_two_arenas():
    assert _arenas("") > 2
    assert _arenas("share_arenas()") == 2
