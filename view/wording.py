"""Words and rows for the timelines of recordings, wherever they are shown. Draws and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from mar_edge.streaming.recording.timeline import NS, Timeline


def rows_of(spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return the row of each span (start, end), from 0: as few rows as keep spans of one row apart.

    Args:
        spans: by start.
    """
    ends: list[int] = []
    rows = []
    for start, end in spans:
        row = next((row for row, last in enumerate(ends) if last <= start), len(ends))
        ends[row : row + 1] = [end]
        rows.append(row)
    return rows


def summary(timelines: Sequence[Timeline]) -> str:
    """Return how much there is: "6 events of 1 person in 23.6 s"."""
    events = sum(len(timeline.events) for timeline in timelines)
    people = sum(len(timeline.people) for timeline in timelines)
    recorded_s = sum((timeline.last_ns - timeline.first_ns) / NS for timeline in timelines)
    unit = clock_unit(recorded_s)
    losses = [timeline.loss for timeline in timelines if timeline.loss]
    return (
        f"{events or 'no'} {'event' if events == 1 else 'events'}"
        + (f" of {people} {'person' if people == 1 else 'people'}" if people else "")
        + f" in {clock(round(recorded_s, 1), unit)} {unit.partition(':')[0]}"
        + "".join(f"; {loss}" for loss in losses)
    )


def clock_unit(longest_s: float) -> str:
    """Return the unit for times up to ``longest_s``."""
    return "s" if longest_s < 120 else "min:s" if longest_s < 7200 else "h:min:s"


def clock(t_s: float, unit: str) -> str:
    """Return a time in that unit: "1.5", "2:05", "1:00:00"."""
    minutes, seconds = divmod(round(t_s), 60)
    if unit == "s":
        return f"{t_s:g}"
    return f"{minutes}:{seconds:02}" if unit == "min:s" else f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
