"""The verdict of the demo: which actions of its script were recognized or missed, and which events were wrong."""

from __future__ import annotations

import io

from recorded_runs import NOD, NS, SHAKE, ZERO_NS, Stream

from mar_edge.cli.demo_results import DemoDisplay, DemoEvent, compare, sentence, table
from mar_edge.streaming.capture.demo import Segment
from mar_edge.streaming.wire.messages import EndMessage

SCRIPT = (Segment("nodding", 1.0, 3.0), Segment("shaking head", 4.0, 6.0), Segment("nodding", 7.0, 9.0))


def demo_event(label: str, start_s: float, end_s: float) -> DemoEvent:
    return DemoEvent(label, start_s, end_s, 0.8)


def test_an_action_is_recognized_by_an_event_of_its_name_that_overlaps_it() -> None:
    first, bow, late = (
        demo_event("nodding", 1.1, 2.0),
        demo_event("bowing head", 4.0, 6.0),
        demo_event("nodding", 10.0, 11.0),
    )
    verdict = compare(SCRIPT, [first, bow, late], 12.0)
    assert [event for _, event in verdict.outcomes] == [first, None, None]
    assert verdict.wrong == (bow, late)
    assert (verdict.recognized, verdict.unplayed) == (1, ())


def test_each_event_counts_once_for_the_longest_overlap() -> None:
    """Match a nod that gives two events, and an event that spans the first and the last nod."""
    short, long = demo_event("nodding", 1.0, 1.5), demo_event("nodding", 1.5, 3.0)
    assert compare(SCRIPT[:1], [short, long], 4.0).outcomes == ((SCRIPT[0], long),)
    assert compare(SCRIPT[:1], [short, long], 4.0).wrong == (short,)
    both = demo_event("nodding", 2.5, 9.0)
    verdict = compare(SCRIPT, [both], 12.0)
    assert [event for _, event in verdict.outcomes] == [None, None, both]
    assert verdict.wrong == ()


def test_actions_that_were_not_played_are_not_missed() -> None:
    verdict = compare(SCRIPT, [demo_event("nodding", 1.0, 3.0)], 5.0)
    assert len(verdict.outcomes) == 1
    assert verdict.unplayed == SCRIPT[1:]
    assert "1 of 1 actions recognized, 0 missed, 0 wrong events, 2 not played" in sentence(verdict, 150, 0)
    assert "stopped before" in sentence(compare(SCRIPT, [], 0.5), 15, 0)


def test_the_verdict_judges_the_machine() -> None:
    well = compare(
        SCRIPT, [demo_event("nodding", 1, 3), demo_event("shaking head", 4, 6), demo_event("waving", 4, 5)], 10.0
    )
    assert sentence(well, 300, 0) == (
        "Verdict: 2 of 3 actions recognized, 1 missed, 1 wrong event; mar-edge works on this machine."
    )
    badly = compare(SCRIPT, [], 10.0)
    assert "mar-edge doctor" in sentence(badly, 300, 0)
    assert "too slow for real time: 200 of 300 frames were dropped" in sentence(badly, 100, 200)


def test_the_table_has_a_line_for_each_action_and_each_wrong_event_by_time() -> None:
    verdict = compare(SCRIPT, [demo_event("nodding", 1.1, 3.0), demo_event("waving", 5.0, 5.5)], 10.0)
    head, *rows = table(verdict)
    assert head.split() == ["expected", "when", "result", "recognized", "as"]
    assert [" ".join(row.split()) for row in rows] == [
        "nodding 1.0 - 3.0 s recognized 1.1 - 3.0 s nodding 0.80",
        "shaking head 4.0 - 6.0 s missed",
        "wrong 5.0 - 5.5 s waving 0.80",
        "nodding 7.0 - 9.0 s missed",
    ]


def test_events_are_printed_as_they_end_and_the_verdict_at_the_end() -> None:
    stream = Stream().hello().event(NOD, 1.0, 3.0).event(SHAKE, 4.5, 6.0)
    file = io.StringIO()
    display = DemoDisplay(file, SCRIPT)
    for message in stream.messages:
        display.show(message)
    lines = file.getvalue().splitlines()
    assert len(lines) == 3
    assert [" ".join(text.split()) for text in lines[1:]] == [
        "1.0 - 3.0 s nodding 0.80",
        "4.5 - 6.0 s shaking head 0.80",
    ]
    counts = {"frames": 300, "dropped": 0, "inferences": 1, "gated": 0, "events": 2}
    display.show(EndMessage(last_seq=9, reason="end of file", sent={}, t_capture_ns=ZERO_NS + 10 * NS, **counts))
    assert file.getvalue().splitlines()[-1].startswith("Verdict: 2 of 3 actions recognized, 1 missed, 0 wrong events;")
