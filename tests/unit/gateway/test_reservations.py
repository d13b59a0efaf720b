from __future__ import annotations

from service.gateway.reservations import MOST_RESERVED, RESERVED_FOR, Reservations
from service.ingest.events import CallAnnounced
from tests.floor import KEY

CALL = CallAnnounced(call_id="c-1", roles=("agent", "customer"), encoding="pcm_s16le", rate=8000, clock="arrival")


def test_each_leg_has_a_token_that_names_its_call_and_key() -> None:
    reservations = Reservations()
    tokens = reservations.reserve(KEY, CALL, 0.0)
    assert set(tokens) == {"agent", "customer"}
    for role, token in tokens.items():
        reserved = reservations.find(token, 1.0)
        assert reserved is not None
        assert reserved.key is KEY
        assert (reserved.announced.roles, reserved.announced.call_roles) == ((role,), ("agent", "customer"))


def test_a_token_holds_for_a_while_and_others_never() -> None:
    reservations = Reservations()
    token = reservations.reserve(KEY, CALL, 0.0)["agent"]
    assert reservations.find(token, RESERVED_FOR - 1) is not None
    assert reservations.find(token, RESERVED_FOR) is None
    assert reservations.find("11111111-1111-4111-8111-111111111111", 0.0) is None


def test_only_so_many_are_kept_and_the_oldest_go_first() -> None:
    reservations = Reservations()
    first = reservations.reserve(KEY, CALL, 0.0)["agent"]
    for _ in range(MOST_RESERVED // 2):
        last = reservations.reserve(KEY, CALL, 0.0)["customer"]
    assert reservations.find(first, 0.0) is None
    assert reservations.find(last, 0.0) is not None
