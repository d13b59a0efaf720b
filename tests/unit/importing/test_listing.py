"""What names and lists tell of recordings."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.importing.files import FoundFile, found_files
from service.importing.listing import Defaults, NamePattern, id_of_name, listed, named
from service.ingest.fields import call_id_at

SHANGHAI = Defaults(clock=timezone(timedelta(hours=8)))


def file(name: str) -> FoundFile:
    return FoundFile(path=Path("/calls") / name, name=name)


def table(*rows: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def test_folders_are_searched_and_every_recording_is_found_once(tmp_path: Path) -> None:
    for name in ("b.WAV", "a.mp3", "sub/c.opus", "calls.csv", "sub/d.m4a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found, others = found_files([tmp_path, tmp_path / "b.WAV", tmp_path / "missing.wav", tmp_path / "calls.csv"])
    assert [each.name for each in found] == ["a.mp3", "b.WAV", "sub/c.opus", "sub/d.m4a", "missing.wav", "calls.csv"]
    assert others == 1


@pytest.mark.parametrize(("name", "call_id"), [("x/2026-1.wav", "2026-1"), ("a.b+c@d.wav", "a.b+c@d")])
def test_a_name_that_can_be_an_id_is_one(name: str, call_id: str) -> None:
    assert id_of_name(name) == call_id


NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1)


@given(NAMES, NAMES)
def test_any_other_name_has_an_id_of_its_own(one: str, other: str) -> None:
    assert call_id_at({"id": id_of_name(f"{one}.wav")}, "id") == id_of_name(f"{one}.wav")
    assert (id_of_name(f"{one}.wav") == id_of_name(f"{other}.wav")) == (one == other)


def test_a_pattern_finds_fields_in_names() -> None:
    pattern = NamePattern("{agent}_{customer}_{started_at}_{campaign}")
    [call] = named([file("A17_C-88_2026-03-02_10-15-00_M1.wav")], pattern, SHANGHAI).calls
    told = call.announced
    assert (told.agent, told.customer, told.metadata) == ("A17", "C-88", {"campaign": "M1"})
    assert told.started_at == datetime.fromisoformat("2026-03-02T10:15:00+08:00")


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-02 10:15", "2026-03-02T10:15:00-05:00"),
        ("20260302101500.25", "2026-03-02T10:15:00.25-05:00"),
        ("2026-03-02_10-15-00Z", "2026-03-02T10:15:00Z"),
        ("20260302101500Z", "2026-03-02T10:15:00Z"),
        ("2026-03-02_10-15-00+0800", "2026-03-02T10:15:00+08:00"),
        ("2026-03-02 10:15 +08:00", "2026-03-02T10:15:00+08:00"),
        ("2026/1/2 10:05:30", "2026-01-02T10:05:30-05:00"),
        ("2026/1/12 9:05:30", "2026-01-12T09:05:30-05:00"),
        ("2026年3月2日 9时05分", "2026-03-02T09:05:00-05:00"),
    ],
)
def test_a_start_is_read_with_the_offset_and_the_figures_that_stand_there(written: str, moment: str) -> None:
    listing = listed(
        table(("file", "started_at"), ("1.wav", written)),
        [file("1.wav")],
        Defaults(clock=timezone(timedelta(hours=-5))),
    )
    assert not listing.problems
    assert listing.calls[0].announced.started_at == datetime.fromisoformat(moment)


@pytest.mark.parametrize("written", ["2026-03-02 02:15:00 PM", "2026-3-2", "2/3/2026 10:15:30", "2026-13-02 10:15"])
def test_a_start_that_may_mean_another_hour_is_not_guessed(written: str) -> None:
    listing = listed(table(("file", "started_at"), ("1.wav", written)), [file("1.wav")], SHANGHAI)
    assert [problem.startswith("line 2: started_at: must be ISO 8601") for problem in listing.problems] == [True]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("A17.wav", "name: does not fit the pattern {agent}_{started_at}"),
        ("A17_2026-03-02.wav", "name: does not fit"),
        ("A17_20261302101500.wav", "started_at: must be ISO 8601"),
    ],
)
def test_a_name_that_tells_nonsense_is_refused(name: str, reason: str) -> None:
    listing = named([file(name)], NamePattern("{agent}_{started_at}"), SHANGHAI)
    assert not listing.calls
    assert listing.refused[0][1].startswith(reason)


@pytest.mark.parametrize("pattern", ["", "agent", "{agent}_{agent}", "{}"])
def test_a_pattern_that_tells_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="must name each field once"):
        NamePattern(pattern)


def test_files_of_one_name_are_not_taken_for_one_call() -> None:
    listing = named([file("a/1.wav"), file("b/1.mp3"), file("2.wav")], None, Defaults())
    assert [call.announced.call_id for call in listing.calls] == ["2"]
    assert ["1 is that of another file too" in reason for _, reason in listing.refused] == [True, True]


def test_a_list_tells_everything() -> None:
    told = {
        "file": "jan/1.wav",
        "call_id": "c-1",
        "agent": "A17",
        "customer": "C-88",
        "Started_At": "2026-03-02 10:15",
        "language": "en-US",
        "jurisdiction": "us",
        "timezone": "America/Denver",
        "right": "agent",
        "party": "customer",
    }
    listing = listed(
        table(tuple(told), tuple(told.values()), ("2.wav",)), [file("jan/1.wav"), file("feb/2.wav")], SHANGHAI
    )
    assert not listing.problems
    first, second = listing.calls
    call = first.announced
    assert (call.call_id, call.agent, call.customer) == ("c-1", "A17", "C-88")
    assert (call.language, call.jurisdiction, call.metadata) == ("en", "US", {"timezone": "America/Denver"})
    assert call.started_at == datetime.fromisoformat("2026-03-02T10:15:00+08:00")
    assert (call.roles, first.party) == (("customer", "agent"), "customer")
    assert (second.announced.call_id, second.announced.started_at, second.party) == ("2", None, None)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("file", "none.wav", "line 3: file: 'none.wav' is none of the files"),
        ("file", "1.wav", "line 3: file: 1.wav has a line before"),
        ("call_id", "c-1", "line 3: call_id: c-1 is that of line 2 too"),
        ("call_id", "a b", "line 3: call_id: may hold ASCII letters"),
        ("started_at", "yesterday", "line 3: started_at: must be ISO 8601"),
        ("started_at", "2026-03-02T10:15:00", "line 3: started_at: must end with its offset from UTC"),
        ("language", "fr", "line 3: language: must be one of"),
        ("jurisdiction", "EU", "line 3: jurisdiction: must be one of"),
        ("agent", "x" * 200, "line 3: agent: may have 128 characters at most, has 200"),
        ("campaign", "x" * 2000, "line 3: metadata.campaign: may have 1024 characters at most"),
        ("left", "boss", "line 3: left: must be one of agent, customer"),
        ("party", "both", "line 3: party: must be one of agent, customer"),
    ],
)
def test_what_is_wrong_in_a_line_is_told_by_its_number(column: str, value: str, problem: str) -> None:
    header = ("file", "call_id") if column in ("file", "call_id") else ("file", "call_id", column)
    second = {"file": "2.wav", "call_id": "c-2", column: value}
    rows = table(header, ("1.wav", "c-1", *[""] * (len(header) - 2)), tuple(second[name] for name in header))
    listing = listed(rows, [file("1.wav"), file("2.wav")], Defaults())
    assert len(listing.problems) == 1
    assert listing.problems[0].startswith(problem)
    assert len(listing.calls) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: must name the columns"),
        ("name,call_id\n1.wav,c-1\n", "line 1: must name the columns"),
        ("file,agent,agent\n", "line 1: must name the columns, each once"),
        ("file,agent\n1.wav,a,b\n", "line 2: has 3 cells, and the header 2"),
        ('file,agent\n\n1.wav,"a\n', "line 3: "),
        ("file,left,right\n1.wav,agent,agent\n", "line 2: right: is the agent, and so is left"),
    ],
)
def test_a_list_that_is_none_is_told(text: str, problem: str) -> None:
    [told] = listed(text, [file("1.wav")], Defaults()).problems
    assert told.startswith(problem)


def test_a_file_without_a_line_is_refused_and_a_name_that_several_have_means_none() -> None:
    listing = listed("file\n1.wav\nb/1.wav\n", [file("a/1.wav"), file("b/1.wav"), file("2.wav")], Defaults())
    assert listing.problems == ["line 2: file: '1.wav' is none of the files, or the name of several"]
    assert [each.name for each, _ in listing.refused] == ["a/1.wav", "2.wav"]


@given(st.text())
def test_no_list_raises_or_makes_two_calls_of_one_file(text: str) -> None:
    files = [file("1.wav"), file("2.wav")]
    for given_text in (text, f"file,{text}\n1.wav,{text}\n2.wav,{text}\n"):
        listing = listed(given_text, files, Defaults())
        assert len({call.file for call in listing.calls}) == len(listing.calls) <= 2
        assert len({call.announced.call_id for call in listing.calls}) == len(listing.calls)
