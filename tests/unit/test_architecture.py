"""The table of packages in docs/architecture.md says what each imports, no more and no less; the layers in
pyproject.toml leave no module out."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("asr", "detectors", "models", "service", "training")


def _module(name: str) -> str:
    return name.removesuffix(".py").replace("/", ".")


def _table() -> dict[str, str]:
    """By package, what the page tells that it imports."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    lines = page.partition("| package | its one responsibility")[2].splitlines()[2:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[: lines.index("")]]
    return {_module(name.strip("`")): told.partition(";")[0] for name, _what, told in rows}


def _layers() -> set[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [layer for contract in contracts for layer in contract.get("layers", ())]
    return {module.strip(" ()") for layer in layers for module in layer.split("|")}


TABLE, LAYERS = _table(), _layers() - {"service", "detectors", "asr"}
BESIDE = {
    *("disk", "disk_watch", "environment", "invalid_field", "logs", "memory", "names", "private_files"),
    *("samples", "settings", "sole_user", "unusable"),
}
"""Single modules of the service, beside its layers."""


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def _row_of(module: str) -> str | None:
    rows = [name for name in TABLE if module == name or module.startswith(f"{name}.")]
    return max(rows, key=len, default=None)


def _imported(name: str) -> set[str]:
    """The rows that the package imports."""
    modules = [module for module in _graph().modules if _row_of(module) == name]
    imported = {each for module in modules for each in _graph().find_modules_directly_imported_by(module)}
    return {row for each in imported if (row := _row_of(each)) not in (None, name)}


def _told(name: str) -> set[str]:
    """What the page names: a whole package, or a row by a module in it, without its package where that is the same."""
    top = name.split(".")[0]
    words = {_module(word) for word in re.findall("`([^`]+)`", TABLE[name])}
    return {word if word.split(".")[0] in PACKAGES else f"{top}.{word}" for word in words}


@pytest.mark.parametrize("name", [name for name in TABLE if name.split(".")[0] in PACKAGES and name != "service.cli"])
def test_a_package_imports_what_the_page_tells(name: str) -> None:
    imported, told = _imported(name), _told(name)
    whole = told.intersection(PACKAGES)
    named = {_row_of(word) or word for word in told - whole}
    assert named == {row for row in imported if row.split(".")[0] not in whole or row in named}
    assert whole <= {row.split(".")[0] for row in imported}


@pytest.mark.parametrize("package", ["asr", "detectors", "service"])
def test_no_module_is_left_out_of_the_layers(package: str) -> None:
    modules = {module for module in _graph().modules if module.startswith(f"{package}.")}
    held = {module for module in modules if any(module == each or module.startswith(f"{each}.") for each in LAYERS)}
    above = {module for module in modules if any(each.startswith(f"{module}.") for each in LAYERS)}
    beside = {f"service.{name}" for name in BESIDE}
    assert modules - held - above - beside == set()
