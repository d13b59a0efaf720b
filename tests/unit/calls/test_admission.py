"""Whether one more call is taken, and whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from asr.recognition.load import CALLS_SPEECH
from service.calls.admission import RETRY_AFTER, Admission, Asker, LiveCall, Refusal
from tests.fakes.pace import FakePace


@dataclass
class AdmittingFloor:
    """Calls that are live, each speaking at some times the usual pace; recognition keeps up with `carried` calls."""

    carried: float
    most: int | None = None
    live: list[LiveCall] = field(default_factory=list[LiveCall])
    pace: dict[str, float] = field(default_factory=dict[str, float])
    count: int = 0

    def __post_init__(self) -> None:
        self.recognition = FakePace()
        self.admission = Admission(self.recognition, self.most)

    def offer(self, source: str, now: float, pace: float = 1.0, **quota: float) -> Refusal | None:
        """The source's next call, which is live from then on if it is taken."""
        self.recognition.most = self.carried * CALLS_SPEECH + 1e-6
        self.recognition.speech = {call_id: CALLS_SPEECH * pace for call_id, pace in self.pace.items()}
        refusal = self.admission.ask(Asker(source=source, **quota), self.live, now)  # type: ignore[arg-type]
        if refusal is None:
            self.count += 1
            call = LiveCall(call_id=f"call-{self.count}", source=source, age=1000.0)
            self.live.append(call)
            self.pace[call.call_id] = pace
        return refusal

    def end(self, source: str) -> None:
        """The source's oldest call is over."""
        self.live.remove(next(call for call in self.live if call.source == source))

    def of(self, source: str) -> int:
        return sum(call.source == source for call in self.live)


def test_calls_are_taken_up_to_what_recognition_keeps_up_with_and_no_further():
    floor = AdmittingFloor(carried=5)
    refusals = [floor.offer("A", now) for now in range(8)]
    assert [refusal is None for refusal in refusals] == [True] * 5 + [False] * 3
    assert refusals[-1] is not None
    assert (refusals[-1].code, refusals[-1].retry_after) == ("overload", RETRY_AFTER)
    assert "5 calls" in refusals[-1].message


def test_a_number_bounds_the_calls_whatever_recognition_could_do():
    floor = AdmittingFloor(carried=50, most=2)
    assert [floor.offer("A", 0.0) is None for _ in range(3)] == [True, True, False]


def test_young_calls_are_counted_in_before_they_have_said_a_word():
    floor = AdmittingFloor(carried=5)
    floor.live = [LiveCall(call_id=f"young-{n}", source="A", age=0.1) for n in range(5)]
    floor.pace = {call.call_id: 0.0 for call in floor.live}
    assert floor.offer("A", 0.0) is not None


def test_three_calls_at_nine_times_real_time_do_not_take_the_floor_from_another_source():
    floor = AdmittingFloor(carried=14)
    assert [floor.offer("A", 0.0, pace=9.0) is None for _ in range(3)] == [True, True, False]
    floor.live += [LiveCall(call_id="third", source="A", age=1000.0)]
    floor.pace["third"] = 9.0
    assert floor.offer("A", 30.0) is not None, "to their own source they count as 27"
    for now in range(31, 41):
        assert floor.offer("B", now) is None


def test_the_next_place_is_for_the_source_that_was_refused_and_has_fewer_calls():
    floor = AdmittingFloor(carried=4)
    for _ in range(4):
        assert floor.offer("A", 0.0) is None
    assert floor.offer("B", 1.0) is not None
    floor.end("A")
    floor.carried = 4.5
    assert floor.offer("A", 2.0) is not None, "B's turn comes first"
    assert floor.offer("B", 2.0 + RETRY_AFTER) is None


def test_a_place_is_not_kept_for_a_source_that_does_not_come_back():
    floor = AdmittingFloor(carried=4)
    for _ in range(4):
        floor.offer("A", 0.0)
    floor.offer("B", 1.0)
    floor.end("A")
    floor.end("A")
    assert floor.offer("A", 3 * RETRY_AFTER) is None


def test_a_floor_that_was_full_opens_with_room_to_spare():
    floor = AdmittingFloor(carried=10.0)
    while floor.offer("A", 0.0) is None:
        pass
    floor.end("A")
    assert floor.offer("A", 1.0) is not None
    floor.carried = 10.6
    assert floor.offer("A", 2.0) is None


def test_a_source_has_at_most_the_calls_it_may_have_and_others_the_rest():
    floor = AdmittingFloor(carried=10)
    refusals = [floor.offer("A", 0.0, max_calls=2) for _ in range(3)]
    assert [refusal and refusal.code for refusal in refusals] == [None, None, "quota"]
    assert floor.offer("B", 0.0) is None


def test_a_source_has_at_most_its_share_of_what_recognition_carries():
    floor = AdmittingFloor(carried=10)
    taken = [floor.offer("A", 0.0, max_share=0.3) is None for _ in range(5)]
    assert taken == [True, True, True, False, False]
    fast = AdmittingFloor(carried=10)
    assert [fast.offer("A", 0.0, pace=3.0, max_share=0.3) is None for _ in range(2)] == [True, False]


def test_a_quota_keeps_no_place_on_a_full_floor():
    floor = AdmittingFloor(carried=3)
    for _ in range(2):
        floor.offer("A", 0.0)
    floor.offer("B", 0.0, max_calls=1)
    floor.offer("B", 0.0, max_calls=1)
    floor.end("B")
    assert floor.offer("A", 1.0) is None


def test_readiness_tells_what_a_source_without_calls_would_be_told():
    floor = AdmittingFloor(carried=2)
    assert floor.admission.closed(floor.live, 0.0) == ""
    while floor.offer("A", 0.0) is None:
        pass
    assert floor.admission.closed(floor.live, 0.0) == "recognition is busy with the 2 calls that are live"


steps = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from(("offer", "end")),
        st.floats(0.0, 12.0),  # time that passes
        st.floats(0.0, 10.0),  # pace
        st.floats(0.0, 30.0),  # what recognition keeps up with, for it changes
    ),
    max_size=80,
)


@given(steps, st.one_of(st.none(), st.integers(1, 6)))
def test_with_nothing_live_a_call_is_always_taken_and_no_bound_is_passed(
    stream: list[tuple[str, str, float, float, float]], most: int | None
):
    floor, now = AdmittingFloor(carried=10.0, most=most), 0.0
    for source, what, passed, pace, carried in stream:
        now += passed
        floor.carried = carried
        before = len(floor.live)
        if what == "end":
            if floor.of(source):
                floor.end(source)
        elif floor.offer(source, now, pace) is not None:
            assert before > 0
        if not floor.live:
            assert floor.admission.closed([], now) == ""
        assert most is None or len(floor.live) <= most


@given(st.permutations([*"AAAAABBC"]), st.integers(6, 12))
def test_sources_that_keep_asking_come_to_equal_shares(order: list[str], carried: int):
    """Each second one of three sources asks again, A five times as often as C; each second second a call of the
    source with most calls ends."""
    floor, now = AdmittingFloor(carried=carried), 0.0
    for turn in range(400):
        now += 1.0
        floor.offer(order[turn % len(order)], now)
        if turn % 2 and floor.live:
            floor.end(max("ABC", key=floor.of))
    shares = [floor.of(source) for source in "ABC"]
    assert max(shares) - min(shares) <= 2
