"""How many may connect, for how long they may keep the service waiting, and who goes first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.connections import PATIENCE, Connection, ConnectionLimits, Connections, Phase

LIMITS = ConnectionLimits(total=6, strangers=3)


def opened(table: Connections, address: str, now: float) -> tuple[Connection, Connection | None]:
    return table.opened(address, lambda: None, now)


def test_the_address_with_most_strangers_gives_up_the_one_that_waited_longest() -> None:
    table = Connections(LIMITS)
    first, _ = opened(table, "greedy", 0)
    opened(table, "greedy", 1)
    opened(table, "other", 0)
    newcomer, victim = opened(table, "gateway", 2)
    assert victim is first
    assert victim is not newcomer
    assert (len(table), table.strangers) == (3, 3)


def test_an_answer_in_work_is_spared_while_others_only_wait() -> None:
    table = Connections(LIMITS)
    working, _ = opened(table, "a", 0)
    table.enter(working, "answer", 0)
    waiting, _ = opened(table, "a", 1)
    opened(table, "a", 2)
    assert opened(table, "a", 3)[1] is waiting


def test_whoever_showed_a_key_never_goes_for_a_stranger() -> None:
    table = Connections(LIMITS)
    gateways = [opened(table, "pbx", 0)[0] for _ in range(3)]
    for gateway in gateways:
        table.known(gateway)
    victims = [opened(table, "flood", 1 + number)[1] for number in range(100)]
    assert not set(gateways) & set(victims)
    assert len(table) == 6


def test_a_newcomer_is_turned_away_where_everyone_is_known() -> None:
    table = Connections(LIMITS)
    for number in range(6):
        table.known(opened(table, f"pbx-{number}", 0)[0])
    newcomer, victim = opened(table, "one more", 1)
    assert victim is newcomer


@pytest.mark.parametrize("phase", ["head", "body", "handshake", "closing"])
def test_each_phase_has_its_patience_counted_from_its_beginning(phase: Phase) -> None:
    table = Connections(LIMITS)
    connection, _ = opened(table, "a", 0)
    table.enter(connection, "answer", 100)
    assert table.overdue(1e6) == []
    table.enter(connection, phase, 200)
    table.enter(connection, phase, 200 + PATIENCE.of(phase))
    assert table.overdue(200 + PATIENCE.of(phase)) == []
    assert table.overdue(201 + PATIENCE.of(phase)) == [connection]
    assert len(table) == 0


def test_a_stranger_that_reads_nothing_goes_a_listener_may_pause() -> None:
    table = Connections(LIMITS)
    stranger, listener = opened(table, "a", 0)[0], opened(table, "b", 0)[0]
    for each in (stranger, listener):
        table.enter(each, "answer", 0)
        each.stalled_since = 1.0
    table.known(listener)
    assert table.overdue(PATIENCE.stalled + 1) == []
    assert table.overdue(PATIENCE.stalled + 2) == [stranger]


@given(
    steps=st.lists(st.tuples(st.sampled_from(["open", "known", "close", "sweep"]), st.integers(0, 9), st.floats(0, 8))),
    total=st.integers(1, 8),
    strangers=st.integers(1, 8),
)
def test_no_order_of_events_passes_the_limits(steps: list[tuple[str, int, float]], total: int, strangers: int) -> None:
    table, made, now = Connections(ConnectionLimits(total=total, strangers=strangers)), list[Connection](), 0.0
    for what, which, wait in steps:
        now += wait
        if what == "open":
            made.append(opened(table, f"address-{which % 3}", now)[0])
        elif what == "sweep":
            table.overdue(now)
        elif made and what == "known":
            table.known(made[which % len(made)])
        elif made:
            table.closed(made[which % len(made)])
        assert len(table) <= total
        assert table.strangers <= min(strangers, len(table))


@pytest.mark.parametrize(
    ("descriptors", "total", "strangers"), [(65_536, 32_672, 512), (1024, 416, 104), (256, 32, 8), (64, 8, 4)]
)
def test_connections_stay_below_the_limit_of_open_files(descriptors: int, total: int, strangers: int) -> None:
    assert ConnectionLimits.within(descriptors) == ConnectionLimits(total=total, strangers=strangers)
