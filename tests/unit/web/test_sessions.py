"""Session tokens: what they survive and what ends them."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.storage.port import User
from service.web.sessions import Ended, SessionInvalid, SessionSigner, load_secret

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


def test_a_token_from_the_future_is_none(signer: SessionSigner) -> None:
    with pytest.raises(SessionInvalid):
        signer.read(signer.issue(USER, NOW + 60)[1], NOW)


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
    await asyncio.to_thread(path.unlink)
    await asyncio.to_thread(path.mkdir)
    with pytest.raises(OSError, match="directory"):
        await ended.add(session, NOW + 10)
    assert session in ended


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


def test_a_stump_of_a_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "session.key"
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="delete it"):
        load_secret(path)
