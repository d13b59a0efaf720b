"""A hub on a free loopback port: as much of the Hugging Face protocol as fetching a model takes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "a" * 40


@dataclass(slots=True)
class HubState:
    """What the hub holds and how it misbehaves; `asked` records the requests' method and path."""

    files: dict[str, bytes]
    repository: str = "org/model"
    truncate: dict[str, int] = field(default_factory=dict)
    corrupt: set[str] = field(default_factory=set)
    listed_sha256: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def commit(self) -> str:
        return COMMIT

    def info(self) -> bytes:
        """The answer to /api/models/…"""
        siblings = [
            {
                "rfilename": name,
                "size": len(body),
                **(
                    {"lfs": {"sha256": sha256(body), "size": len(body), "pointerSize": 134}}
                    if self._in_lfs(name)
                    else {}
                ),
            }
            for name, body in self.files.items()
        ]
        return json.dumps({"id": self.repository, "sha": COMMIT, "siblings": siblings, "tags": []}).encode()

    def _in_lfs(self, name: str) -> bool:
        return self.listed_sha256 and name == "model.bin"


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@contextmanager
def serving(state: HubState) -> Iterator[str]:
    """The hub's address."""

    class Handler(_Handler):
        hub = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubState

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        return

    def _answer(self, *, body: bool) -> None:
        self.hub.asked.append((self.command, self.path))
        path = self.path.partition("?")[0]
        prefix = f"/{self.hub.repository}/resolve/"
        name = path.removeprefix(prefix).partition("/")[2] if path.startswith(prefix) else ""
        if path.startswith(f"/api/models/{self.hub.repository}"):
            self._send(200, self.hub.info(), body=body)
        elif name in self.hub.files:
            self._send_file(name, body=body)
        else:
            self._send(404, b"{}", body=body, headers={"X-Error-Code": "EntryNotFound"})

    def _send_file(self, name: str, *, body: bool) -> None:
        content = self.hub.files[name]
        sent = bytes(len(content)) if name in self.hub.corrupt else content
        headers = {"ETag": f'"{sha256(content)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = 0
        if (span := self.headers.get("Range")) and body:
            start = int(span.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        cut = self.hub.truncate.get(name)
        self._send(206 if start else 200, sent[start:], body=body, headers=headers, cut=cut)

    def _send(
        self, status: int, content: bytes, *, body: bool, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content[:cut])
        if cut is not None:
            self.close_connection = True
