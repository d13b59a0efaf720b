"""What is sealed is read again as what it was, and by nobody else; a master key that is lost or another is told."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.sealing import Sealer
from service.unusable import Unusable

SECRET = "a secret of 口令 length"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "master.key"
    Sealer(path).make_key()
    return path


def test_a_master_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    Sealer(path).make_key()
    first = path.read_bytes()
    Sealer(path).make_key()
    assert path.read_bytes() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(secret=st.text(st.characters(exclude_categories=["Cs"]), max_size=200), source=st.text(max_size=8))
def test_a_secret_comes_back_as_it_was_and_is_nowhere_in_what_is_stored(path: Path, secret: str, source: str) -> None:
    source = source.encode(errors="replace").decode()
    sealed = Sealer(path).seal(secret, source, "secret")
    assert Sealer(path).unseal(sealed, source, "secret") == secret
    assert len(secret) < 4 or secret not in sealed


def test_the_same_secret_is_sealed_differently_each_time(path: Path) -> None:
    sealer = Sealer(path)
    assert sealer.seal(SECRET, "pbx", "secret") != sealer.seal(SECRET, "pbx", "secret")


def test_what_was_sealed_for_one_source_and_field_opens_as_no_other(path: Path) -> None:
    sealed = Sealer(path).seal(SECRET, "pbx", "secret")
    for source, field in (("pbx-2", "secret"), ("pbx", "token"), ("pb", "x\0secret"), ("", "")):
        with pytest.raises(Unusable, match="was changed since it was sealed"):
            Sealer(path).unseal(sealed, source, field)


@pytest.mark.parametrize("place", [0, 5, 11, 12, 20, -1])
def test_a_single_changed_bit_is_refused(path: Path, place: int) -> None:
    form, mark, text = Sealer(path).seal(SECRET, "pbx", "secret").split(".")
    box = bytearray(base64.urlsafe_b64decode(text))
    box[place] ^= 1
    with pytest.raises(Unusable, match="secret of source pbx was changed"):
        Sealer(path).unseal(f"{form}.{mark}.{base64.urlsafe_b64encode(box).decode()}", "pbx", "secret")


@pytest.mark.parametrize("text", ["", "1", "1.x.y", "nonsense"])
def test_what_is_no_sealed_value_is_refused(path: Path, text: str) -> None:
    with pytest.raises(Unusable, match="pbx"):
        Sealer(path).unseal(text, "pbx", "secret")


def test_cut_values_are_refused(path: Path) -> None:
    sealed = Sealer(path).seal(SECRET, "pbx", "secret")
    for length in range(len(sealed)):
        with pytest.raises(Unusable):
            Sealer(path).unseal(sealed[:length], "pbx", "secret")


def test_another_master_key_is_told_as_such(path: Path, tmp_path: Path) -> None:
    other = Sealer(tmp_path / "other.key")
    other.make_key()
    with pytest.raises(Unusable, match=r"another master key than .*other\.key holds"):
        other.unseal(Sealer(path).seal(SECRET, "pbx", "secret"), "pbx", "secret")


def test_a_key_that_another_process_made_anew_is_read(tmp_path: Path) -> None:
    running, path = Sealer(tmp_path / "master.key"), tmp_path / "master.key"
    running.make_key()
    running.seal(SECRET, "pbx", "secret")
    path.unlink()
    Sealer(path).make_key()
    assert running.unseal(Sealer(path).seal(SECRET, "pbx", "secret"), "pbx", "secret") == SECRET


def test_a_missing_master_key_is_told_and_none_is_made_in_its_place(path: Path, tmp_path: Path) -> None:
    lost = Sealer(tmp_path / "lost.key")
    with pytest.raises(Unusable, match=r"lost\.key is missing"):
        lost.unseal(Sealer(path).seal(SECRET, "pbx", "secret"), "pbx", "secret")
    with pytest.raises(Unusable, match="is missing"):
        lost.seal(SECRET, "pbx", "secret")
    assert not (tmp_path / "lost.key").exists()


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"too short", b"ab" * 32, bytes(range(256)) * 20])
def test_a_file_that_is_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "master.key").write_bytes(content)
    with pytest.raises(Unusable, match="is no master key"):
        Sealer(tmp_path / "master.key").seal(SECRET, "pbx", "secret")


def test_a_folder_in_the_place_of_the_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="master key"):
        Sealer(tmp_path).seal(SECRET, "pbx", "secret")
    with pytest.raises(Unusable, match="master key"):
        Sealer(tmp_path / "none" / "master.key").make_key()


def test_a_key_may_end_with_a_line_break_as_a_mounted_secret_does(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mounted").write_bytes(path.read_bytes() + b"\n")
    sealed = Sealer(path).seal(SECRET, "pbx", "secret")
    assert Sealer(tmp_path / "mounted").unseal(sealed, "pbx", "secret") == SECRET
