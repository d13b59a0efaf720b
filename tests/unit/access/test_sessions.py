"""Session tokens: what they survive and what ends them."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from service.access.sessions import Ended, SessionInvalid, SessionSigner, load_secret
from service.storage.port import User
from service.unusable import Unusable

USER = User(name="lin", role="supervisor", password_hash="$argon2id$one", created_at=datetime(2026, 3, 2, tzinfo=UTC))
NOW = 1_800_000_000.0


@pytest.fixture
def signer() -> SessionSigner:
    return SessionSigner(b"k" * 32, 3600.0)


def test_a_token_reads_back_as_its_session_until_it_expires(signer: SessionSigner) -> None:
    session, token = signer.issue(USER, NOW)
    assert signer.read(token, NOW + 3599) == session
    with pytest.raises(SessionInvalid):
        signer.read(token, NOW + 3600)


def test_a_clock_set_back_ends_no_session(signer: SessionSigner) -> None:
    session, token = signer.issue(USER, NOW)
    assert signer.read(token, NOW - 3599) == session
    assert signer.read(token, NOW + 60) == session


def test_a_token_from_a_future_as_far_as_a_session_lasts_is_none(signer: SessionSigner) -> None:
    with pytest.raises(SessionInvalid):
        signer.read(signer.issue(USER, NOW + 3600)[1], NOW)


def test_another_secret_or_a_changed_character_spoils_the_token(signer: SessionSigner) -> None:
    token = signer.issue(USER, NOW)[1]
    other = SessionSigner(b"j" * 32, 3600.0)
    for reader, spoilt in ((other, token), (signer, "x" + token), (signer, ""), (signer, "a.b"), (signer, token[:-3])):
        with pytest.raises(SessionInvalid):
            reader.read(spoilt, NOW)


def test_a_new_password_unfits_the_session_and_another_role_does_not(signer: SessionSigner) -> None:
    session = signer.issue(USER, NOW)[0]
    assert signer.fits(session, replace(USER, role="admin"))
    assert not signer.fits(session, replace(USER, password_hash="$argon2id$two"))


def test_the_token_holds_neither_role_nor_password_hash(signer: SessionSigner) -> None:
    session = signer.issue(USER, NOW)[0]
    assert "argon2" not in repr(session)
    assert "supervisor" not in repr(session)


def test_csrf_tokens_differ_between_sessions_and_survive_a_new_password(signer: SessionSigner) -> None:
    one, two = signer.issue(USER, NOW)[0], signer.issue(USER, NOW)[0]
    assert signer.csrf(one) != signer.csrf(two)
    renewed = signer.issue(replace(USER, password_hash="$argon2id$two"), NOW, one.id)[0]
    assert signer.csrf(renewed) == signer.csrf(one)


async def test_ended_sessions_outlive_a_restart_but_not_their_own_expiry(tmp_path: Path, signer: SessionSigner) -> None:
    session = signer.issue(USER, NOW)[0]
    path = tmp_path / "ended"
    ended = await asyncio.to_thread(Ended, path, NOW)
    assert session not in ended
    await ended.add(session, NOW + 10)
    assert session in ended
    assert session in await asyncio.to_thread(Ended, path, NOW + 9)
    assert session not in await asyncio.to_thread(Ended, path, NOW + 11)
    assert await asyncio.to_thread(path.read_text) == ""


async def test_a_session_ends_even_if_that_cannot_be_written_down(tmp_path: Path, signer: SessionSigner) -> None:
    session = signer.issue(USER, NOW)[0]
    path = tmp_path / "ended"
    ended = await asyncio.to_thread(Ended, path, NOW)
    await asyncio.to_thread(path.mkdir)
    with pytest.raises(OSError, match="directory"):
        await ended.add(session, NOW + 10)
    assert session in ended


async def test_a_logout_that_could_not_be_written_down_is_tried_again(tmp_path: Path, signer: SessionSigner) -> None:
    sessions = [signer.issue(USER, NOW)[0] for _ in range(3)]
    path = tmp_path / "ended"
    ended = await asyncio.to_thread(Ended, path, NOW)
    await asyncio.to_thread(path.mkdir)
    for session in sessions[:2]:
        with pytest.raises(OSError, match="directory"):
            await ended.add(session, NOW + 10)
    await asyncio.to_thread(path.rmdir)
    await ended.save()
    saved = await asyncio.to_thread(Ended, path, NOW)
    assert all(session in saved for session in sessions[:2])
    await ended.add(sessions[2], NOW + 10)
    again = await asyncio.to_thread(Ended, path, NOW)
    assert all(session in again for session in sessions)


async def test_a_logout_after_a_torn_line_counts(tmp_path: Path, signer: SessionSigner) -> None:
    session = signer.issue(USER, NOW)[0]
    path = tmp_path / "ended"
    ended = await asyncio.to_thread(Ended, path, NOW)
    await asyncio.to_thread(path.write_text, "torn-by-a-full-dis")
    await ended.add(session, NOW + 10)
    assert session in await asyncio.to_thread(Ended, path, NOW)


def test_ended_sessions_are_kept_where_the_disk_has_no_room_to_tidy_them_up(
    tmp_path: Path, signer: SessionSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = signer.issue(USER, NOW)[0]
    path = tmp_path / "ended"
    before = f"{session.id} {NOW + 10}\nold-one {NOW - 10}\n"
    path.write_text(before)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert session in Ended(path, NOW)
    assert path.read_text() == before
    assert [each.name for each in tmp_path.iterdir()] == ["ended"]


def test_a_list_of_ended_sessions_that_is_garbage_holds_no_session_and_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "ended"
    path.write_bytes(bytes(range(256)) * 9)
    Ended(path, NOW)
    assert path.read_bytes() == b""


def test_a_list_of_ended_sessions_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="ended"):
        Ended(tmp_path, NOW)


def test_a_torn_last_line_costs_nothing_else(tmp_path: Path, signer: SessionSigner) -> None:
    session = signer.issue(USER, NOW)[0]
    path = tmp_path / "ended"
    path.write_text(f"{session.id} {NOW + 10}\nhalf-a-li\nodd number\n")
    assert session in Ended(path, NOW)


def test_the_secret_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "session.key"
    secret = load_secret(path)
    assert len(secret) == 32
    assert load_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", bytes(32), bytes(4096)])
def test_a_file_that_holds_no_secret_gets_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.key"
    path.write_bytes(content)
    with structlog.testing.capture_logs() as logs:
        secret = load_secret(path)
    assert "log in again" in logs[0]["event"]
    assert len(secret) == 32
    assert len(set(secret)) > 8
    assert path.read_bytes() == secret


@pytest.mark.parametrize("content", [b"short", b"a" * 32, b"\0" * 31 + b"x", os.urandom(5000)])
def test_what_is_no_secret_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.key"
    path.write_bytes(content)
    with pytest.raises(Unusable, match=r"put the right file back, or delete it") as refused:
        load_secret(path)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == content


def test_a_secret_that_the_disk_has_no_room_for_is_told_in_a_sentence_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unusable, match="the disk is full"):
        load_secret(tmp_path / "session.key")
    assert list(tmp_path.iterdir()) == []
