"""Guessing passwords gets slower; a right one, time, and other people are not punished."""

from __future__ import annotations

import heapq
import random

import pytest

from service.access.login_throttle import (
    EVERYWHERE,
    PER_ACCOUNT,
    PER_ADDRESS,
    Allowance,
    Attempt,
    LoginThrottle,
    network_of,
)

TWO = Allowance(free=2, first_wait=10.0, longest_wait=40.0, fade=80.0)
MANY = Allowance(free=1000, first_wait=10.0, longest_wait=40.0, fade=80.0)
HOUR, DAY = 3600.0, 86_400.0


def by(user: str = "lin", address: str = "a", device: str = "") -> Attempt:
    return Attempt(user=user, address=address, device=device)


def attempts(throttle: LoginThrottle, times: list[float], who: Attempt | None = None) -> list[float]:
    return [throttle.attempt(who or by(), now) for now in times]


def guesses(throttle: LoginThrottle, seconds: float, *who: Attempt, begin: float = 0.0) -> int:
    """How many guesses get through where each is made as soon as it is let."""
    turns, made = [(begin, number) for number in range(len(who))], 0
    while turns[0][0] < begin + seconds:
        now, number = heapq.heappop(turns)
        wait = throttle.attempt(who[number], now)
        made += wait == 0
        heapq.heappush(turns, (now + (wait or 1.0), number))
    return made


def test_the_first_attempts_are_free_then_each_waits_longer_up_to_a_bound() -> None:
    throttle = LoginThrottle(TWO, MANY, MANY)
    assert attempts(throttle, [0, 0]) == [0, 0]
    assert attempts(throttle, [0, 9, 10]) == [10, 1, 0]
    waits = [attempts(throttle, [10.0 + number * 1000])[0] for number in range(3)]
    assert waits[1:] == [0, 0]
    assert max(TWO.wait_after(failures) for failures in range(100)) == 40


def test_an_attempt_that_had_to_wait_does_not_lengthen_the_wait() -> None:
    throttle = LoginThrottle(TWO, MANY, MANY)
    attempts(throttle, [0, 0])
    assert attempts(throttle, [1, 2, 3, 4]) == [9, 8, 7, 6]


def test_success_clears_the_count() -> None:
    throttle = LoginThrottle(TWO, MANY, MANY)
    attempts(throttle, [0, 0])
    throttle.succeeded(by())
    assert attempts(throttle, [0, 0]) == [0, 0]


def test_attempts_in_flight_count_before_their_outcome_is_known() -> None:
    throttle = LoginThrottle(TWO, MANY, MANY)
    assert [wait > 0 for wait in attempts(throttle, [0] * 5)] == [False, False, True, True, True]


def test_an_attempt_the_store_could_not_answer_is_no_failure() -> None:
    throttle = LoginThrottle(TWO, TWO, TWO)
    for _ in range(20):
        assert throttle.attempt(by(), 0) == 0
        throttle.withdrawn(by())


def test_another_user_or_address_is_not_held_up() -> None:
    throttle = LoginThrottle(TWO, MANY, MANY)
    attempts(throttle, [0, 0, 0])
    assert attempts(throttle, [0], by(user="wu")) == [0]
    assert attempts(throttle, [0], by(address="b")) == [0]


def test_one_address_trying_many_names_is_held_up() -> None:
    throttle = LoginThrottle(MANY, TWO, MANY)
    assert [throttle.attempt(by(user=name), 0) for name in "xyz"] == [0, 0, 10]


def test_one_name_tried_from_many_addresses_is_held_up() -> None:
    throttle = LoginThrottle(MANY, MANY, TWO)
    assert [throttle.attempt(by(address=address), 0) for address in "xyz"] == [0, 0, 10]


def test_failures_fade_one_by_one() -> None:
    throttle = LoginThrottle(TWO, MANY, MANY)
    attempts(throttle, [0, 0])
    assert attempts(throttle, [80, 80]) == [0, 10]
    assert attempts(throttle, [1000, 1000]) == [0, 0]


def test_failures_within_a_minute_count_in_full() -> None:
    throttle = LoginThrottle()
    assert [wait > 0 for wait in attempts(throttle, [0, 15, 30, 45, 60, 61])] == [False] * 5 + [True]


def test_memory_is_bounded() -> None:
    throttle = LoginThrottle(TWO, TWO, MANY, remembered=100)
    for number in range(1000):
        throttle.attempt(by(address=f"address-{number}"), 0)
        throttle.succeeded(by(user=f"user-{number}"))
    assert len(throttle) <= 100


def test_an_office_behind_one_address_is_never_refused() -> None:
    """60 people, a login every 5 minutes for two days, one in ten mistyped once."""
    throttle, chance, refused = LoginThrottle(), random.Random(13), 0
    for number in range(2 * 24 * 12):
        person, now = by(user=f"person-{number % 60}", address="office"), number * 300.0
        if chance.random() < 0.1:
            refused += throttle.attempt(person, now) > 0
        refused += throttle.attempt(person, now + 5) > 0
        throttle.succeeded(person)
    assert refused == 0


def test_a_morning_rush_of_sixty_mistyping_every_tenth_is_let_in() -> None:
    throttle, refused = LoginThrottle(), 0
    for number in range(60):
        person, now = by(user=f"person-{number}", address="office"), number * 2.0
        for _ in range(1 + (number % 10 == 0)):
            refused += throttle.attempt(person, now) > 0
        throttle.succeeded(person)
    assert refused == 0


def test_one_account_at_one_address_is_guessed_at_four_times_an_hour() -> None:
    throttle = LoginThrottle()
    assert guesses(throttle, HOUR, by()) <= 15
    assert guesses(throttle, DAY, by(), begin=HOUR) <= 24 * 4 + 1


def test_one_address_guesses_at_all_accounts_once_a_minute() -> None:
    throttle = LoginThrottle()
    names = [by(user=f"user-{number}") for number in range(200)]
    assert guesses(throttle, HOUR, *names) <= 60 + 60 + 10
    assert guesses(throttle, HOUR, *names, begin=HOUR) <= 61


def test_one_account_is_guessed_at_twelve_times_an_hour_from_any_number_of_addresses() -> None:
    throttle = LoginThrottle()
    botnet = [by(address=f"bot-{number}") for number in range(100)]
    assert guesses(throttle, HOUR, *botnet) <= 40
    assert guesses(throttle, DAY, *botnet, begin=HOUR) <= 24 * 12 + 2


@pytest.mark.parametrize("home", [by(address="home"), by(address="anywhere", device="laptop")])
def test_whoever_was_in_before_is_not_kept_out_by_guessing(home: Attempt) -> None:
    throttle, refused = LoginThrottle(), 0
    throttle.attempt(home, 0)
    throttle.succeeded(home)
    for hour in range(1, 13):
        guesses(throttle, HOUR, *[by(address=f"bot-{number}") for number in range(50)], begin=hour * HOUR)
        refused += throttle.attempt(home, (hour + 1) * HOUR) > 0
        throttle.succeeded(home)
    assert refused == 0


def test_a_known_device_is_let_in_while_its_own_address_is_used_for_guessing() -> None:
    """A container's users all have one address, and so has whoever attacks it."""
    throttle = LoginThrottle()
    guesses(throttle, HOUR, *[by(user=name, address="gateway") for name in ("lin", "x", "y", "z")] * 10)
    assert throttle.attempt(by(address="gateway"), HOUR) > 0
    assert throttle.attempt(by(address="gateway", device="laptop"), HOUR) == 0


def test_a_stolen_devices_guesses_are_few() -> None:
    assert guesses(LoginThrottle(), HOUR, by(device="stolen")) <= 15


@pytest.mark.parametrize("allowance", [PER_ACCOUNT, PER_ADDRESS, EVERYWHERE])
def test_no_wait_is_a_lock(allowance: Allowance) -> None:
    assert allowance.wait_after(1e9) == allowance.longest_wait <= 900


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 10_000, "x" * 64),
    ],
)
def test_what_one_subscriber_has_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
