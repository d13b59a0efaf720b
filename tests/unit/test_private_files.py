"""The data folder: for its owner alone, and every refusal a sentence."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.private_files import prepare_folder, replace_file
from service.unusable import Unusable, told


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert prepare_folder(tmp_path / "a" / "data", with_store=True) == []
    assert mode(tmp_path / "a" / "data") == 0o700


def test_a_folder_of_ours_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    for name in ("callwarden.db", "callwarden.db-wal", "session.key", "ended-sessions", "calibration.json"):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / name).chmod(0o644)
    (tmp_path / "recordings").mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    assert prepare_folder(tmp_path, with_store=True) == []
    assert mode(tmp_path) == 0o700
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {
        "callwarden.db": 0o600,
        "callwarden.db-wal": 0o600,
        "session.key": 0o600,
        "ended-sessions": 0o600,
        "calibration.json": 0o600,
        "recordings": 0o700,
    }


def test_a_folder_that_holds_other_things_is_told_and_left_open_and_ours_in_it_is_closed(tmp_path: Path) -> None:
    (tmp_path / "someone-elses.txt").touch(mode=0o644)
    (tmp_path / "session.key").write_bytes(b"x")
    (tmp_path / "session.key").chmod(0o640)
    tmp_path.chmod(0o755)
    [sentence] = prepare_folder(tmp_path, with_store=True)
    assert f"chmod 700 {tmp_path}" in sentence
    assert (mode(tmp_path), mode(tmp_path / "session.key")) == (0o755, 0o600)
    assert mode(tmp_path / "someone-elses.txt") == 0o644


def test_a_folder_that_is_a_file_or_lies_in_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(Unusable, match=r"data folder: .* is not a folder, or lies in a file"):
            prepare_folder(folder, with_store=True)


@pytest.fixture
def without_rights() -> Iterator[None]:
    """Root may everything: be nobody for a while."""
    before = os.geteuid()
    if before != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, without_rights: None) -> None:
    with pytest.raises(Unusable, match=r"data folder: .*(not open to this user|cannot be written by this user)"):
        prepare_folder(Path("/") if os.geteuid() else tmp_path, with_store=True)
    with pytest.raises(Unusable, match="data folder"):
        prepare_folder(Path("/callwarden-data"), with_store=True)


def test_an_empty_database_beside_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "callwarden.db").touch()
    assert prepare_folder(tmp_path, with_store=True) == []
    (tmp_path / "recordings" / "c-1.wav").write_bytes(b"x")
    with pytest.raises(Unusable, match=r"callwarden\.db is empty, though calls were recorded"):
        prepare_folder(tmp_path, with_store=True)
    (tmp_path / "callwarden.db").unlink()
    [sentence] = prepare_folder(tmp_path, with_store=True)
    assert "no database" in sentence
    assert prepare_folder(tmp_path, with_store=False) == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "not open to this user"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_what_a_disk_refuses_is_told_with_the_file(number: int, sentence: str) -> None:
    said = told(OSError(number, os.strerror(number)), Path("/data/x"))
    assert sentence in said
    assert "/data/x" in said


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")
    assert mode(path) == 0o600

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
