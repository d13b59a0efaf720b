"""Values leave over HTTP on one way, which shows each asker what is for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_type_hints

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

import service
from service.access.view import EVERYBODY, NotForThisView, View
from service.storage.port import AlertPage
from service.web.json_answer import json_answer, large_answer
from service.web.route_table import application
from service.web.schemas import Alive, Check, Readiness

PAGE = TypeAdapter(AlertPage)
EMPTY = AlertPage(alerts=(), calls=(), next=None)
REQUEST = Request({"type": "http", "headers": []})


@pytest.mark.parametrize("view", EVERYBODY)
async def test_only_watchers_are_answered_with_alerts(view: View) -> None:
    if view in ("supervisor", "compliance", "admin"):
        assert json_answer(PAGE, EMPTY, view).body == PAGE.dump_json(EMPTY)
        assert (await large_answer(PAGE, EMPTY, view, REQUEST)).body == PAGE.dump_json(EMPTY)
    else:
        with pytest.raises(NotForThisView):
            json_answer(PAGE, EMPTY, view)
        with pytest.raises(NotForThisView):
            await large_answer(PAGE, EMPTY, view, REQUEST)


def test_an_answer_holds_what_the_view_sees() -> None:
    readiness = Readiness(ready=False, checks={"disk": Check(ok=False, message="/srv is full")})
    answer = json_answer(TypeAdapter(Readiness), readiness, "stranger", 503)
    assert (answer.status_code, json.loads(bytes(answer.body))["checks"]["disk"]["message"]) == (503, "")
    assert json.loads(bytes(json_answer(TypeAdapter(Alive), Alive(), "stranger").body)) == {"status": "ok"}


def test_no_route_leaves_it_to_the_framework_to_write_a_value() -> None:
    for route in application().routes:
        if isinstance(route, APIRoute):
            assert issubclass(get_type_hints(route.endpoint)["return"], Response), route.path


def test_values_are_written_as_json_where_the_view_is_asked_and_nowhere_else() -> None:
    web = Path(service.__path__[0]) / "web"
    writers = {str(file.relative_to(web)) for file in web.rglob("*.py") if "dump_json(" in file.read_text("utf-8")}
    assert writers == {"json_answer.py", "routes/live.py"}
