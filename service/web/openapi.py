"""The OpenAPI document, with the WebSocket messages' schemas in it; the dashboard's wire types are made from it.

`python -m service.web.openapi` writes dashboard/openapi.json.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.routing import compile_path

from service.live.messages import LIVE_MESSAGE, Resume
from service.web.route_table import application

DOCUMENT = Path(__file__).parents[2] / "dashboard" / "openapi.json"
_REF = "#/components/schemas/{model}"
_NAMED = re.compile(re.escape(_REF).replace(r"\{model\}", r"(\w+)"))
_MESSAGES: dict[str, TypeAdapter[Any]] = {
    "LiveMessage": LIVE_MESSAGE,
    "LiveRequest": TypeAdapter(Resume),
}


@cache
def document() -> dict[str, Any]:
    """The document as JSON values. Do not change what you get: it is shared."""
    app = application()
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = made["components"]["schemas"]
    for name, schema in _message_schemas().items():
        schemas.setdefault(name, schema)
    asked = _reached(schemas, _models(made, "requestBody")) - _reached(
        schemas, [*_MESSAGES, *_models(made, "responses")]
    )
    for name, schema in schemas.items():
        if name not in asked and "properties" in schema:
            # What we write always has every field, defaults included: a reader need not check for absence.
            schema["required"] = list(schema["properties"])
            for field in schema["properties"].values():
                field.pop("default", None)
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    return made


def serve_document(app: FastAPI) -> None:
    """Let `app.openapi()` answer with the full document."""
    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to replace it


def allowed_methods() -> list[tuple[re.Pattern[str], str]]:
    """The methods that each path of the interface answers, in the form of the Allow header."""
    paths = {"/api/v1/openapi.json": {"get": None}, **document()["paths"]}
    return [(compile_path(path)[0], _allowed(operations)) for path, operations in paths.items()]


def _allowed(operations: Iterable[str]) -> str:
    methods = {operation.upper() for operation in operations}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    """Write the document where the dashboard's build looks for it, or to the path given."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENT
    target.write_text(text(), encoding="utf-8")


def _message_schemas() -> dict[str, Any]:
    inputs = [(name, "serialization", adapter.core_schema) for name, adapter in _MESSAGES.items()]
    made, definitions = GenerateJsonSchema(ref_template=_REF).generate_definitions(inputs)  # type: ignore[arg-type]  # Literal mode
    named = {name: schema for (name, _mode), schema in made.items()}
    return {**definitions, **named}


def _models(made: dict[str, Any], part: Literal["requestBody", "responses"]) -> set[str]:
    """The schemas of which bodies, or answers, consist."""
    operations = [operation for path in made["paths"].values() for operation in path.values()]
    return set(_NAMED.findall(json.dumps([operation.get(part) for operation in operations])))


def _reached(schemas: dict[str, Any], names: Iterable[str]) -> set[str]:
    """These schemas, and those that they refer to."""
    reached: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _NAMED.findall(json.dumps(schemas[name]))
    return reached


if __name__ == "__main__":
    main()
