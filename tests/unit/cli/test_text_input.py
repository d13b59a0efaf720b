"""Text piped into a command: byte order marks, encodings, line ends."""

from __future__ import annotations

import codecs
import io
import json
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from detectors.evaluation.batch import BadInput
from service.cli import app
from service.cli.text_input import lines_of, text_of

SAID = ["你就是个老赖", "您好", "Good morning"]
LINES = [
    json.dumps({"id": at, "lang": "zh", "speaker": "agent", "text": text}, ensure_ascii=False)
    for at, text in enumerate(SAID)
]
CALL = json.dumps(
    {
        "lang": "zh",
        "jurisdiction": "CN",
        "started_at": "2026-03-02T10:00:00+08:00",
        "turns": [{"speaker": "agent", "start": 0, "end": 2, "text": SAID[0]}],
    },
    ensure_ascii=False,
)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lines_are_the_same_in_every_unicode_encoding_and_with_every_line_end(encoding: str, end: str) -> None:
    raw = io.BytesIO((end.join(LINES) + end).encode(encoding))
    assert list(lines_of(raw)) == list(enumerate(LINES, 1))


def test_blank_lines_are_no_input_but_count() -> None:
    raw = io.BytesIO("\ufeff\r\n \t\r\n".encode() + LINES[0].encode() + b"\r\n\r\n" + LINES[1].encode())
    assert list(lines_of(raw)) == [(3, LINES[0]), (5, LINES[1])]


def test_files_joined_with_their_byte_order_marks_are_lines_all_the_same() -> None:
    raw = io.BytesIO(b"".join(codecs.BOM_UTF8 + line.encode() + b"\n" for line in LINES))
    assert list(lines_of(raw)) == list(enumerate(LINES, 1))


def test_a_line_is_told_before_the_next_one_is_there() -> None:
    class Terminal:
        """Fails where more is read than the first line."""

        def __iter__(self):
            yield LINES[0].encode() + b"\n"
            raise AssertionError("read on")

    assert next(lines_of(Terminal())) == (1, LINES[0])  # type: ignore[arg-type]


def test_another_encoding_is_refused_with_the_line_and_what_would_do() -> None:
    raw = io.BytesIO(b'{"id": 1}\n' + LINES[0].encode("gb18030"))
    with pytest.raises(BadInput, match=r"line 2: is not UTF-8; convert it first.*iconv"):
        list(lines_of(raw))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_whole_text_is_the_same_in_every_unicode_encoding(encoding: str) -> None:
    assert text_of(io.BytesIO(CALL.encode(encoding))) == CALL


def test_detect_answers_what_an_editor_on_windows_saved() -> None:
    given = codecs.BOM_UTF8 + "\r\n".join(LINES).encode()
    done = CliRunner().invoke(app, ["detect"], input=given)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    assert [label["category"] for label in answers[0]["labels"]] == ["abuse_insult"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_detect_judges_a_whole_call_behind_a_byte_order_mark(encoding: str) -> None:
    done = CliRunner().invoke(app, ["detect", "--call"], input=CALL.encode(encoding))
    assert done.exit_code == 0
    assert [found["category"] for found in json.loads(done.stdout)["findings"]] == ["abuse_insult"]


@pytest.mark.parametrize("arguments", [["detect"], ["detect", "--call"]])
def test_detect_says_in_one_sentence_that_a_text_is_not_unicode(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments, input=CALL.encode("gb18030"))
    assert done.exit_code == 2
    assert "is not UTF-8" in done.stderr
    assert "Traceback" not in done.stderr


def test_numbers_of_lines_do_not_depend_on_line_ends_within_a_buffer() -> None:
    numbers = [number for number, _ in lines_of(io.BytesIO(b"a\r\rb\r\n\nc\n"))]
    assert numbers == [1, 3, 5]
    assert all(before < after for before, after in pairwise(numbers))
