"""What people give on the command line."""

from __future__ import annotations

import pytest
import typer

from service.cli.arguments import pairs, words
from service.settings import split_terms


def test_pairs_lose_what_a_files_text_brings_along() -> None:
    assert pairs(["\ufefftimezone=Asia/Shanghai\r", " queue = 早期 ", "note=a=b", "empty="]) == {
        "timezone": "Asia/Shanghai",
        "queue": "早期",
        "note": "a=b",
        "empty": "",
    }


@pytest.mark.parametrize("pair", ["timezone", "=Asia/Shanghai", "\ufeff=x", ""])
def test_a_pair_without_a_name_is_refused(pair: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        pairs([pair])
    assert "is not of the form k=v" in capsys.readouterr().err


def test_bytes_that_are_no_text_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    given = "客户".encode("gb18030").decode("utf-8", "surrogateescape")
    with pytest.raises(typer.Exit):
        words("--customer", given)
    assert "--customer" in capsys.readouterr().err


def test_terms_lose_what_a_files_text_brings_along() -> None:
    assert split_terms("\ufeff安信普惠，还呗\r\n") == ("安信普惠", "还呗")
