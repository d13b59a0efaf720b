"""How users and gateways may be named, on the command line as over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from service.cli.accounts import keys, users
from service.names import checked_name
from service.web.schemas import NewKey, NewUser

FIT = ["lin", "Lin.Wei", "lin@calls.example", "a+b", "周明", "shanghai-pbx", "7", "x" * 64, "陈_2"]
UNFIT = [
    *(
        "",
        " ",
        "lin ",
        "lin\n",
        "a b",
        "../../<script>",
        "..",
        ".",
        "-rf",
        "_x",
        "x" * 65,
        "a/b",
        "a%2Fb",
        "\x00",
        "\ud800",
    ),
    *("аdmin", "аԁмін", "αdmin", "ａｄｍｉｎ", "admin\u200b", "admin\u202e", "admín", "admın", "🎧"),
]


@pytest.mark.parametrize("name", FIT)
def test_a_name_of_plain_letters_fits_everywhere(name: str) -> None:
    assert checked_name(name) == name
    assert NewUser(name=name, role="admin", password="long enough now").name == name
    assert NewKey(source=name).source == name


@pytest.mark.parametrize("name", UNFIT)
def test_a_name_that_escapes_or_looks_like_another_fits_nowhere(name: str) -> None:
    with pytest.raises(ValueError, match="a name has"):
        checked_name(name)
    with pytest.raises(ValidationError):
        NewUser(name=name, role="admin", password="long enough now")
    with pytest.raises(ValidationError):
        NewKey(source=name)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path))

    def ran(*arguments: str, text: str = "") -> tuple[int, str]:
        app = {"users": users, "keys": keys}[arguments[0]]
        result = CliRunner().invoke(app, arguments[1:], input=text)
        return result.exit_code, result.output

    return ran


@pytest.mark.parametrize("name", ["../../<script>", "аdmin", "a b"])
def test_the_command_line_takes_no_name_the_api_could_not_address(
    run: Callable[..., tuple[int, str]], name: str
) -> None:
    for command in (("users", "create", name, "--password-stdin"), ("keys", "create", "--source", name)):
        code, told = run(*command, text="long enough now\n")
        assert code != 0
        assert "Traceback" not in told
    code, listed = run("users", "list")
    assert (code, listed.count("supervisor")) == (0, 0)


def test_a_key_for_monitoring_reads_metrics_and_nothing_else(run: Callable[..., tuple[int, str]]) -> None:
    assert run("keys", "create", "--source", "prometheus", "--metrics")[0] == 0
    assert "metrics" in run("keys", "list")[1]
    assert "stream" not in run("keys", "list")[1]


def test_a_key_tells_of_its_source_and_what_is_unknown_is_refused_in_a_sentence(
    run: Callable[..., tuple[int, str]],
) -> None:
    known = ("--language", "en", "--jurisdiction", "US", "--timezone", "eastern time", "--clock", "arrival")
    assert run("keys", "create", "--source", "pbx-us", *known)[0] == 0
    listed = run("keys", "list")[1]
    assert all(told in listed for told in ("pbx-us", "en", "US"))
    for option, value in (("--language", "fr"), ("--jurisdiction", "EU"), ("--clock", "sundial")):
        code, told = run("keys", "create", option, value)
        assert code != 0
        assert f"Invalid value for '{option}'" in told
        assert f"'{value}' is not one of" in told


def test_a_key_of_a_source_that_is_there_needs_nothing_said_of_it(run: Callable[..., tuple[int, str]]) -> None:
    assert run("keys", "create", "--source", "pbx", "--first-track", "agent")[0] == 0
    assert run("keys", "create", "--source", "pbx")[0] == 0
    code, told = run("keys", "create", "--source", "pbx", "--first-track", "customer")
    assert code != 0
    assert "source pbx is there with other settings" in told
    assert run("keys", "list")[1].count("valid") == 2
