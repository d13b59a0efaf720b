from service.calls.arrival_times import REMEMBERED, ArrivalTimes


def test_delay_counts_from_when_the_audio_came() -> None:
    arrivals = ArrivalTimes()
    for tenth in range(1, 51):
        arrivals.mark(tenth / 10, now=100 + tenth / 10)
    assert arrivals.delay(3.0, now=106.5) == 106.5 - 103.0


def test_audio_that_came_late_counts_from_its_coming() -> None:
    arrivals = ArrivalTimes()
    arrivals.mark(1.0, now=101.0)
    arrivals.mark(9.0, now=140.0)  # a backlog after a stalled line
    assert arrivals.delay(5.0, now=141.0) == 1.0


def test_audio_that_is_not_here_yet_has_no_delay() -> None:
    arrivals = ArrivalTimes()
    arrivals.mark(1.0, now=101.0)
    assert arrivals.delay(2.0, now=105.0) == 0.0


def test_marks_are_bounded() -> None:
    arrivals = ArrivalTimes()
    for mark in range(3 * REMEMBERED):
        arrivals.mark(float(mark), now=float(mark))
    assert arrivals.delay(0.0, now=3.0 * REMEMBERED) == REMEMBERED  # what is forgotten counts as the oldest known
