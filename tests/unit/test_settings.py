from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme_as_it_describes_itself(name: str) -> None:
    described = (Settings.model_fields[name].description or "").replace("|", "\\|")
    line = next((each for each in README.read_text().splitlines() if f"| `CALLWARDEN_{name.upper()}` |" in each), None)
    assert line is not None, f"CALLWARDEN_{name.upper()} is not in the README's table"
    assert described in line


def test_settings_come_from_the_environment_and_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLWARDEN_MAX_CALLS", "3")
    settings = Settings()
    assert settings.max_calls == 3
    with pytest.raises(ValidationError):
        settings.max_calls = 4


def test_a_wrong_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLWARDEN_TIMEZONE", "Mars/Olympus")
    with pytest.raises(ValidationError, match="timezone"):
        Settings()


def test_terms_are_parted_by_commas_of_either_kind_and_trimmed() -> None:
    assert Settings(terms="海港银行, First Harbor，北线公司、,").own_terms == ("海港银行", "First Harbor", "北线公司")
    assert Settings().own_terms == ()


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ("海港\n银行", "control character"),
        ("\u202e海港", "control character"),
        ("长" * 31, "31 characters, at most 30"),
        (",".join(f"名{n}" for n in range(51)), "51 terms are given, at most 50"),
    ],
)
def test_terms_that_no_prompt_can_hold_are_refused_with_the_reason(terms: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings(terms=terms)


def test_proxies_are_addresses_and_networks_of_both_families() -> None:
    settings = Settings(trusted_proxies="10.0.0.5, 172.16.1.0/12,::1 ,")
    assert settings.proxy_networks == (
        *("10.0.0.5/32", "::ffff:10.0.0.5/128"),
        *("172.16.0.0/12", "::ffff:172.16.0.0/108"),
        "::1/128",
    )
    assert Settings().proxy_networks == ()


@pytest.mark.parametrize("proxies", ["*", "nginx", "10.0.0.0/33", "10.0.0.1;10.0.0.2", "10.0.0.1 10.0.0.2"])
def test_a_proxy_without_an_address_is_refused_with_the_reason(proxies: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        Settings(trusted_proxies=proxies)


def test_ports_of_dialects_are_told_by_name() -> None:
    assert Settings(tcp_ports=" audiosocket = 8090, ").dialect_ports == {"audiosocket": 8090}
    assert Settings().dialect_ports == {}


@pytest.mark.parametrize(
    ("ports", "why"),
    [
        ("twilio=8090", "'twilio' is no dialect that comes over TCP, such as audiosocket"),
        ("8090", "'8090' is no dialect"),
        ("audiosocket", "names no port"),
        ("audiosocket=65536", "names no port"),
        ("audiosocket=-1", "names no port"),
    ],
)
def test_a_port_that_no_dialect_has_is_refused_with_the_reason(ports: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings(tcp_ports=ports)


def test_private_networks_of_webhooks_are_read_as_such() -> None:
    assert Settings().private_webhook_networks == ()
    named = Settings(webhook_networks="10.20.0.0/16, fd12::1")
    assert list(map(str, named.private_webhook_networks)) == ["10.20.0.0/16", "fd12::1/128"]
    with pytest.raises(ValidationError, match="'intranet' is no address or network"):
        Settings(webhook_networks="intranet")


def test_a_home_zone_is_that_of_the_debtors() -> None:
    assert [Settings().home_zone, Settings(timezone="Asia/Urumqi").home_zone] == ["Asia/Shanghai", "Asia/Urumqi"]
    assert Settings(jurisdiction="UK").home_zone == "Europe/London"
