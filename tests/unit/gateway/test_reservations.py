from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.gateway.reservations import MOST_RESERVED, RESERVED_FOR, Reservations
from service.ingest.events import CallAnnounced
from tests.floor import KEY

CALL = CallAnnounced(call_id="c-1", roles=("agent", "customer"), encoding="pcm_s16le", rate=8000, clock="arrival")


def test_each_leg_has_a_token_that_names_its_call_and_key() -> None:
    reservations = Reservations()
    tokens = reservations.reserve(KEY, CALL, 0.0)
    assert set(tokens) == {"agent", "customer"}
    for role, token in tokens.items():
        reserved = reservations.connected(token, 1.0)
        assert reserved is not None
        assert reserved.key is KEY
        assert (reserved.announced.roles, reserved.announced.call_roles) == ((role,), ("agent", "customer"))


def test_a_token_holds_for_a_while_and_others_never() -> None:
    reservations = Reservations()
    tokens = reservations.reserve(KEY, CALL, 0.0)
    assert reservations.connected(tokens["agent"], RESERVED_FOR - 1) is not None
    assert reservations.connected(tokens["customer"], RESERVED_FOR) is None
    assert reservations.connected("11111111-1111-4111-8111-111111111111", 0.0) is None


def test_only_so_many_are_kept_and_the_oldest_go_first() -> None:
    reservations = Reservations()
    first = reservations.reserve(KEY, CALL, 0.0)["agent"]
    for _ in range(MOST_RESERVED // 2):
        last = reservations.reserve(KEY, CALL, 0.0)["customer"]
    assert reservations.connected(first, 0.0) is None
    assert reservations.connected(last, 0.0) is not None


def test_a_live_legs_token_holds_as_long_as_its_connections_and_a_while_after() -> None:
    reservations = Reservations()
    tokens = reservations.reserve(KEY, CALL, 0.0)
    assert reservations.connected(tokens["agent"], 1.0)
    assert reservations.connected(tokens["customer"], 1.0)
    reservations.reserve(KEY, CALL, 3600.0)  # gives up what is over
    assert reservations.connected(tokens["agent"], 3600.0), "the old connection is half open"
    reservations.gone(tokens["agent"], 3660.0)
    reservations.gone(tokens["customer"], 3660.0)
    reservations.reserve(KEY, CALL, 3660.0 + RESERVED_FOR)
    assert reservations.connected(tokens["customer"], 3660.0 + RESERVED_FOR) is None
    reservations.gone(tokens["agent"], 7200.0)
    assert reservations.connected(tokens["agent"], 7200.0 + RESERVED_FOR - 1)


def test_what_is_held_is_as_if_every_connection_were_over() -> None:
    reservations, others = Reservations(), Reservations()
    tokens = reservations.reserve(KEY, CALL, 0.0)
    assert reservations.connected(tokens["agent"], 1.0)
    held = reservations.held(3600.0)
    assert [(leg.announced.roles, leg.until) for _digest, leg in held] == [(("agent",), 3600.0 + RESERVED_FOR)]
    assert not any(token in repr(held) for token in tokens.values())
    others.restore(held)
    assert others.connected(tokens["agent"], 3600.0 + RESERVED_FOR - 1)
    assert others.connected(tokens["customer"], 3600.0) is None


@given(steps=st.lists(st.tuples(st.sampled_from(["reserve", "connect", "go"]), st.integers(0, 5), st.integers(0, 400))))
def test_who_is_connected_can_always_come_back(steps: list[tuple[str, int, int]]) -> None:
    reservations, tokens, now = Reservations(), [str(number) for number in range(6)], 0.0
    open_for: dict[str, int] = dict.fromkeys(tokens, 0)
    until: dict[str, float] = dict.fromkeys(tokens, 0.0)
    for what, which, wait in steps:
        now += wait
        if what == "reserve":
            token = tokens[which] = reservations.reserve(KEY, CALL, now)["agent"]
            open_for[token], until[token] = 0, now + RESERVED_FOR
            continue
        token = tokens[which]
        if what == "go" and open_for[token]:
            reservations.gone(token, now)
            open_for[token] -= 1
            until[token] = now + RESERVED_FOR
        elif what == "connect":
            holds = open_for[token] > 0 or now < until[token]
            assert (reservations.connected(token, now) is not None) == holds
            open_for[token] += holds
