"""Guessing passwords gets slower; a right one, time, and other people are not punished."""

from __future__ import annotations

from service.web.throttle import PER_ACCOUNT, PER_ADDRESS, Allowance, LoginThrottle

TWO = Allowance(free=2, first_wait=10.0, longest_wait=40.0)
MANY = Allowance(free=1000, first_wait=10.0, longest_wait=40.0)


def attempts(throttle: LoginThrottle, times: list[float], user: str = "lin", address: str = "a") -> list[float]:
    return [throttle.attempt(user, address, now) for now in times]


def test_the_first_attempts_are_free_then_each_waits_twice_as_long_up_to_a_bound() -> None:
    throttle = LoginThrottle(TWO, MANY)
    assert attempts(throttle, [0, 0]) == [0, 0]
    assert attempts(throttle, [0, 10]) == [10, 0]
    assert attempts(throttle, [10, 30]) == [20, 0]
    assert attempts(throttle, [30, 70]) == [40, 0]
    assert attempts(throttle, [70, 110]) == [40, 0]


def test_an_attempt_that_had_to_wait_does_not_lengthen_the_wait() -> None:
    throttle = LoginThrottle(TWO, MANY)
    attempts(throttle, [0, 0])
    assert attempts(throttle, [1, 2, 3, 4]) == [9, 8, 7, 6]


def test_success_clears_the_count() -> None:
    throttle = LoginThrottle(TWO, MANY)
    attempts(throttle, [0, 0])
    throttle.succeeded("lin", "a")
    assert attempts(throttle, [0, 0]) == [0, 0]


def test_attempts_in_flight_count_before_their_outcome_is_known() -> None:
    throttle = LoginThrottle(TWO, MANY)
    assert [wait > 0 for wait in attempts(throttle, [0] * 5)] == [False, False, True, True, True]


def test_another_user_or_address_is_not_held_up() -> None:
    throttle = LoginThrottle(TWO, MANY)
    attempts(throttle, [0, 0, 0])
    assert attempts(throttle, [0], user="wu") == [0]
    assert attempts(throttle, [0], address="b") == [0]


def test_one_address_trying_many_names_is_held_up() -> None:
    throttle = LoginThrottle(MANY, TWO)
    assert [throttle.attempt(name, "a", 0) for name in "xyz"] == [0, 0, 10]


def test_old_failures_are_forgotten() -> None:
    throttle = LoginThrottle(TWO, MANY)
    attempts(throttle, [0, 0])
    assert attempts(throttle, [81, 81]) == [0, 0]


def test_memory_is_bounded() -> None:
    throttle = LoginThrottle(TWO, TWO, remembered=100)
    for number in range(1000):
        throttle.attempt("lin", f"address-{number}", 0)
    assert len(throttle) <= 100


def test_the_limits_in_use_stop_a_guesser_within_a_hundred_guesses_a_day() -> None:
    throttle, now, made = LoginThrottle(PER_ACCOUNT, PER_ADDRESS), 0.0, 0
    while now < 86_400:
        wait = throttle.attempt("lin", "a", now)
        made += wait == 0
        now += wait or 0.001
    assert made <= 110
