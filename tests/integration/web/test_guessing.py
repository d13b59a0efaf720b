"""Guessing passwords over HTTP: what slows it down, and whom it may not keep out."""

from __future__ import annotations

import httpx

from tests.integration.web.conftest import PASSWORD, House, OpenHouse

LOGIN = "/api/v1/session"


async def log_in(client: httpx.AsyncClient, name: str, password: str, address: str | None = None) -> int:
    headers = {"X-Forwarded-For": address} if address else {}
    return (await client.post(LOGIN, json={"username": name, "password": password}, headers=headers)).status_code


async def test_a_header_gives_no_guess_another_address(house: House) -> None:
    await house.user("admin", "admin")
    client = await house.stranger()
    answers = [await log_in(client, "admin", "guess", f"192.0.2.{number}") for number in range(8)]
    assert answers == [401] * 5 + [429] * 3


async def test_a_trusted_proxy_tells_clients_apart_by_the_address_it_added(open_house: OpenHouse) -> None:
    house = await open_house(trusted_proxies="127.0.0.0/8, ::1")
    await house.user("admin", "admin")
    client = await house.stranger()
    # What the client wrote itself stands before what the proxy adds.
    answers = [await log_in(client, "admin", "guess", f"203.0.113.{number}, 192.0.2.1") for number in range(8)]
    assert answers == [401] * 5 + [429] * 3
    assert await log_in(client, "admin", PASSWORD, "192.0.2.2") == 200


async def test_a_browser_that_was_in_before_gets_in_while_its_address_is_used_for_guessing(house: House) -> None:
    browser = await house.logged_in("supervisor", "lin")
    await browser.delete(LOGIN)
    stranger = await house.stranger()
    while await log_in(stranger, "lin", "guess") != 429:
        pass
    assert await log_in(browser, "lin", PASSWORD) == 200
    assert await log_in(stranger, "lin", PASSWORD) == 429


async def test_a_device_stands_for_the_user_it_was_used_by_alone(house: House) -> None:
    await house.user("wu", "admin")
    browser = await house.logged_in("supervisor", "lin")
    stranger = await house.stranger()
    while await log_in(stranger, "wu", "guess") != 429:
        pass
    assert await log_in(browser, "wu", PASSWORD) == 429
    cookie = next(each for each in browser.cookies.jar if each.name == "callwarden_device")
    assert cookie.path == LOGIN
    assert "lin" not in (cookie.value or "")


async def test_guessing_keeps_no_one_from_changing_their_password(house: House) -> None:
    client = await house.logged_in("supervisor", "lin")
    stranger = await house.stranger()
    while await log_in(stranger, "lin", "guess") != 429:
        pass
    changed = await client.put(f"{LOGIN}/password", json={"old": PASSWORD, "new": "a new one, longer"})
    assert changed.status_code == 204


async def test_an_old_password_is_not_guessed_at_in_a_stolen_session(house: House) -> None:
    client = await house.logged_in("supervisor", "lin")
    answers = [
        (await client.put(f"{LOGIN}/password", json={"old": f"guess {number}", "new": "a new one, longer"})).status_code
        for number in range(8)
    ]
    assert answers == [401] * 5 + [429] * 3
