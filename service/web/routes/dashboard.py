"""The built dashboard: HTML, script and style, the same for everyone and without data, hence open to all."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parents[1] / "static"
_NOT_BUILT = "The dashboard is not built. Run `make setup` in the repository.\n"
_NOT_PAGES = ("api/", "v1/")
_HASHED = "public, max-age=31536000, immutable"
"""Vite puts a content hash into the names under assets/."""


class Dashboard(StaticFiles):
    """Static files; a path that names no file and no endpoint is a page of the dashboard: index.html."""

    def __init__(self, directory: Path = STATIC, interface: Sequence[tuple[re.Pattern[str], str]] = ()) -> None:
        """`interface`: paths of the API, with the methods each answers. A request that got here used another one."""
        self._interface = interface
        mimetypes.init()  # reads the system's tables: now, not on the event loop at the first request
        super().__init__(directory=directory, html=True, check_dir=False)

    async def check_config(self) -> None:
        """A folder that is not there yet is a dashboard that is not built, which `_page` tells."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, the page, 404, or 405 with what the path would answer."""
        for pattern, allowed in self._interface:
            if pattern.match("/" + path):
                raise HTTPException(405, headers={"Allow": allowed})
        try:
            answer = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith((*_NOT_PAGES, "assets/")):
                raise
            return await self._page(scope)
        answer.headers["Cache-Control"] = _HASHED if path.startswith("assets/") else "no-cache"
        return answer

    async def _page(self, scope: Scope) -> Response:
        try:
            answer = await super().get_response("index.html", scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            return PlainTextResponse(_NOT_BUILT, 503, {"Cache-Control": "no-store"})
        answer.headers["Cache-Control"] = "no-cache"
        return answer
