"""Settings as operators mistype them: one sentence each, none with a secret, and nothing misspelt holds in silence."""

from __future__ import annotations

import os

import pytest

from service.environment import BadSettings, advice, misspelt, read_settings, unknown
from service.settings import Settings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if "WARDEN" in name.upper()]:
        monkeypatch.delenv(name)


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[str, ...]:
    for name, value in variables.items():
        monkeypatch.setenv(f"CALLWARDEN_{name}", value)
    with pytest.raises(BadSettings) as bad:
        read_settings({})
    return bad.value.problems


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "99999", "CALLWARDEN_PORT=99999: must be 65535 or less"),
        ("PORT", "http", "CALLWARDEN_PORT=http: must be a whole number"),
        ("PORT", "tcp://10.0.0.1:8080", "CALLWARDEN_PORT=tcp://10.0.0.1:8080: must be a whole number"),
        ("HOST", "0.0.0.0:80", "CALLWARDEN_HOST=0.0.0.0:80: holds a port, which goes into CALLWARDEN_PORT or --port"),
        ("HOST", "http://x", "CALLWARDEN_HOST=http://x: is no address or host name, such as 0.0.0.0 or ::1"),
        ("MAX_CALLS", "lots", "CALLWARDEN_MAX_CALLS=lots: must be 'auto' or a whole number"),
        ("LANGUAGE", "fr", "CALLWARDEN_LANGUAGE=fr: must be 'zh', 'en' or 'auto'"),
        ("LOG_JSON", "ja", "CALLWARDEN_LOG_JSON=ja: must be true or false"),
        ("GRACE_SECONDS", "nan", "CALLWARDEN_GRACE_SECONDS=nan: must be 600 or less"),
        ("SESSION_HOURS", "-1", "CALLWARDEN_SESSION_HOURS=-1: must be more than 0"),
        ("TIMEZONE", "Asia", "CALLWARDEN_TIMEZONE=Asia: is no IANA time zone, such as Asia/Shanghai"),
        ("TIMEZONE", "x" * 300, f"CALLWARDEN_TIMEZONE={'x' * 60}…: is no IANA time zone, such as Asia/Shanghai"),
        ("DATA_DIR", "a\nb", "CALLWARDEN_DATA_DIR=a b: holds a control character or line break"),
    ],
)
def test_a_bad_value_is_one_sentence_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    assert problems(monkeypatch, **{name: value}) == (sentence,)


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = problems(monkeypatch, PORT="x", THREADS="x", LANGUAGE="x", COMPUTE_TYPE="x", JURISDICTION="x")
    assert len(told) == 5
    assert not any("\n" in sentence for sentence in told)


def test_a_bad_option_goes_by_its_own_name() -> None:
    with pytest.raises(BadSettings) as bad:
        read_settings({"port": -1, "data_dir": "a\tb"})
    assert [sentence.split(":")[0] for sentence in bad.value.problems] == ["--port=-1", "--data-dir=a b"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://boss:hush-hush@more@host/db",
        "postgresql://boss:hush-hush@host:more/db",
        "postgresql://boss:hush-hush@host/db?sslmode=require",
        "oracle://boss:hush-hush@host/db",
        "boss:hush-hush@host",
    ],
)
def test_a_database_url_is_refused_without_a_piece_of_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    [sentence] = problems(monkeypatch, DATABASE_URL=url)
    assert sentence.startswith("CALLWARDEN_DATABASE_URL: ")
    for piece in ("boss", "hush", "more"):
        assert piece not in sentence


def test_a_secret_in_the_wrong_variable_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    [sentence] = problems(monkeypatch, HOST="postgresql://boss:hush@more@host/db")
    assert "hush" not in sentence
    assert "more" not in sentence


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("callwarden.example.org", "must begin with http"),
        ("//callwarden.example.org", "must begin with http"),
        ("ftp://callwarden.example.org", "must begin with http"),
        ("https://", "names no host"),
        ("https:///wall", "names no host"),
        ("https://a b", "names no host"),
        ("https://x:port", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://x/wall", "behind the host"),
        ("https://x?a=b", "behind the host"),
        ("https://x#wall", "behind the host"),
        ("https://boss:hush@x", "holds a user name"),
    ],
)
def test_a_public_url_is_an_origin_and_nothing_more(monkeypatch: pytest.MonkeyPatch, url: str, sentence: str) -> None:
    [told] = problems(monkeypatch, PUBLIC_URL=url)
    assert sentence in told
    assert "hush" not in told


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://x.org/", "https://x.org"), ("HTTPS://x.org:8443", "https://x.org:8443"), ("http://[::1]:80", None)],
)
def test_a_public_url_is_kept_as_browsers_name_it(url: str, kept: str | None) -> None:
    assert Settings(public_url=url).public_url == (kept or url)


def test_a_secure_cookie_over_http_would_let_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    [told] = problems(monkeypatch, SECURE_COOKIE="true", PUBLIC_URL="http://x.org")
    assert "CALLWARDEN_SECURE_COOKIE=true needs https://" in told


def test_https_without_a_secure_cookie_is_pointed_out() -> None:
    assert "CALLWARDEN_SECURE_COOKIE=true" in advice(Settings(public_url="https://x.org"))[0]
    assert advice(Settings(public_url="https://x.org", secure_cookie=True)) == advice(Settings()) == []


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATA_DIR", "HOST", "LOG_JSON", "DATABASE_URL"):
        monkeypatch.setenv(f"CALLWARDEN_{name}", "")
    assert read_settings({}) == Settings()
    assert str(Settings().data_dir) == "data"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CALLWARDEN_SECURE_COOKIES", "CALLWARDEN_SECURE_COOKIE"),
        ("CALLWARDEN_COOKIE_SECURE", "CALLWARDEN_SECURE_COOKIE"),
        ("CALLWARDEN_SECURE", "CALLWARDEN_SECURE_COOKIE"),
        ("CALLWARDEN_SECURECOOKIE", "CALLWARDEN_SECURE_COOKIE"),
        ("CALLWARDEN_PUBLIC_URI", "CALLWARDEN_PUBLIC_URL"),
        ("callwarden_maxcalls", "CALLWARDEN_MAX_CALLS"),
        ("CALLWARDEN_LOGGING_LEVEL", "CALLWARDEN_LOG_LEVEL"),
        ("CALLWARDENPORT", "CALLWARDEN_PORT"),
        ("CALL_WARDEN_SECURE_COOKIE", "CALLWARDEN_SECURE_COOKIE"),
        ("CALWARDEN_SECURE_COOKIE", "CALLWARDEN_SECURE_COOKIE"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    assert misspelt([name, "PATH", meant]) == [f"{name} is no setting: did you mean {meant}?"]
    assert unknown([name]) == []


@pytest.mark.parametrize(
    "name", ["CALLWARDEN_SERVICE_HOST", "CALLWARDEN_PORT_8080_TCP_ADDR", "CALLWARDEN_NOTE", "callwarden_TZ"]
)
def test_a_variable_of_ours_that_is_like_no_setting_is_told_and_ignored(name: str) -> None:
    assert misspelt([name]) == []
    [sentence] = unknown([name])
    assert sentence.startswith(f"{name} is no setting of this version and is ignored")


def test_variables_of_others_and_settings_in_any_case_are_nothing_to_tell() -> None:
    names = ["PATH", "HOST", "PORT", "callwarden_port", "CALLWARDEN_SECURE_COOKIE", "WARDEN", "LC_ALL"]
    assert misspelt(names) == unknown(names) == []
