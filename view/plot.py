"""Plots the events of recordings for print: when each label occurred, and how often. Uses matplotlib; reads no files.

Each body group has a band, with a lane and a count for each of its labels that occur. If there are several people, a
lane for each of them is above the bands. Markers of other programs are dashed lines through all lanes, with a band of
their own.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.timeline import MARKER, NS, TimedEvent, Timeline, body_of
from mar_edge.view.fonts import DEFAULT, families_for
from mar_edge.view.wording import clock, clock_unit, rows_of, summary

MIME_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
_DPI = 200
# The width of two columns in a journal.
_WIDTH_INCHES = 7.2
_LANE_INCHES = 0.17
_MARGINS_INCHES = 1.2
_LEAST_LANES = 4
_MOST_PEOPLE = 40
_MOST_TEXTS = 40
"""Markers of other programs that have their texts in the plot; of more, only the times are legible."""
_TEXT_PT = 7
# Colors of Okabe and Ito, safe for color blindness, without the yellow, which is too pale on paper.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7F7F7F", "#000000")
_MARKER_COLOR = "#404040"
# Makes even the shortest event visible.
_EDGE_PT = 0.7
_TICKS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_MOST_TICKS = 8


def plot(timelines: Sequence[Timeline], suffix: str) -> bytes:
    """Return the plot as a file, ``.png`` (200 dots per inch) or ``.svg``. The same timelines give the same bytes.

    Raises:
        MarEdgeError: the suffix is another one; for a PNG, no installed font has some letters.
    """
    if suffix.lower() not in MIME_TYPES:
        raise MarEdgeError(f"plots end in {' or '.join(MIME_TYPES)}, not in '{suffix}'")
    labels = {event.label for timeline in timelines for event in timeline.events}
    texts = [text for timeline in timelines for text in (timeline.stream, timeline.model)]
    texts += [text for label in labels for text in (label.name, body_of(label))]
    texts += [text for timeline in timelines for marker in timeline.markers for text in (marker.source, marker.text)]
    return render(lambda: draw(timelines), texts, suffix)


def render(draw_figure: Callable[[], Figure], texts: Iterable[str], suffix: str) -> bytes:
    """Return a figure as a file, ``.png`` or ``.svg``, in the style of the plots. The same figure gives the same bytes.

    Args:
        draw_figure: draws it, when the style is set.
        texts: what it may show, to choose fonts by.

    Raises:
        MarEdgeError: for a PNG, no installed font has some letters.
    """
    file = io.BytesIO()
    kind = suffix.lower().removeprefix(".")
    # Text in an SVG stays text, to search and edit.
    style = mpl.rc_context(
        {
            "font.size": _TEXT_PT,
            "font.family": _families(list(texts), kind),
            "axes.linewidth": 0.6,
            "svg.fonttype": "none",
            "svg.hashsalt": "mar-edge",
        }
    )
    with style, warnings.catch_warnings():
        if kind == "svg":  # the viewer may have the font
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
        draw_figure().savefig(file, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else None)
    return file.getvalue()


def _families(texts: Sequence[str], kind: str) -> list[str]:
    if kind != "svg":
        return families_for(texts)
    try:
        return [*families_for(texts), "sans-serif"]
    except MarEdgeError:
        return [DEFAULT, "sans-serif"]


def draw(timelines: Sequence[Timeline]) -> Figure:
    """Draw the plot. Times count from the earliest start of the timelines."""
    people, labels = _people(timelines), [*_labels(timelines), *_markers(timelines)]
    sections = [people, labels] if people else [labels]
    heights = [len(people), max(len(labels), _LEAST_LANES)][-len(sections) :]
    figure = Figure(figsize=(_WIDTH_INCHES, _MARGINS_INCHES + _LANE_INCHES * sum(heights)), layout="constrained")
    axes = figure.subplots(len(sections), 2, squeeze=False, sharey="row", height_ratios=heights, width_ratios=(3.4, 1))
    for (when, how_many), lanes, height in zip(axes, sections, heights, strict=True):
        _draw_lanes(when, how_many, lanes)
        when.set_ylim(height - 0.4, -0.6)
    _draw_gaps(list(axes[:, 0]), timelines)
    _draw_markers(list(axes[:, 0]), labels, timelines)
    for when in axes[:, 0]:
        _label_times(when, timelines, visible=when is axes[-1, 0])
    axes[0, 1].set_title("events" if labels else "", loc="left", fontsize=_TEXT_PT, pad=2)
    _write_title(figure, timelines)
    return figure


@dataclass(frozen=True)
class _Lane:
    """One lane of the plot.

    Attributes:
        name: Text next to it.
        color: Color of the count.
        spans: Start and length in seconds, and color, of each event; None for a heading.
        rows: Row of each event. Simultaneous events share the height of the lane.
    """

    name: str
    color: str
    spans: tuple[tuple[float, float, str], ...] | None
    rows: tuple[int, ...] = ()


def _zero_ns(timelines: Sequence[Timeline]) -> int:
    return min(timeline.zero_ns for timeline in timelines)


def _colors(timelines: Sequence[Timeline]) -> dict[str, str]:
    """Return the color of each body group."""
    bodies = dict.fromkeys(body for timeline in timelines for body in timeline.bodies())
    return {body: COLORS[index % len(COLORS)] for index, body in enumerate(bodies)}


def _spans(events: Sequence[TimedEvent], zero_ns: int, colors: dict[str, str]) -> tuple[tuple[float, float, str], ...]:
    return tuple(
        ((event.t_start_ns - zero_ns) / NS, (event.t_end_ns - event.t_start_ns) / NS, colors[body_of(event.label)])
        for event in events
    )


def _labels(timelines: Sequence[Timeline]) -> list[_Lane]:
    """Return, for each body group, a heading, and a lane for each of its labels that occur."""
    zero_ns, colors = _zero_ns(timelines), _colors(timelines)
    events = [event for timeline in timelines for event in timeline.events]
    lanes = []
    for body, color in colors.items():
        known = dict.fromkeys(label for timeline in timelines for label in timeline.labels if body_of(label) == body)
        found = [(label, [event for event in events if event.label == label]) for label in known]
        if any(own for _, own in found):
            lanes.append(_Lane(body, color, None))
            lanes += [_Lane(label.name, color, _spans(own, zero_ns, colors)) for label, own in found if own]
    return lanes


def _markers(timelines: Sequence[Timeline]) -> list[_Lane]:
    """Return a heading, and a lane for each program that set markers; none without markers."""
    times: dict[str, list[float]] = {}
    for timeline in timelines:
        for marker in timeline.markers:
            times.setdefault(marker.source, []).append((marker.t_ns - _zero_ns(timelines)) / NS)
    lanes = [
        _Lane(source, _MARKER_COLOR, tuple((t_s, 0.0, _MARKER_COLOR) for t_s in own)) for source, own in times.items()
    ]
    return [_Lane(MARKER, _MARKER_COLOR, None), *lanes] if lanes else []


def _people(timelines: Sequence[Timeline]) -> list[_Lane]:
    """Return a lane for each person with events; no lanes if there is only one person."""
    zero_ns, colors = _zero_ns(timelines), _colors(timelines)
    streams = {timeline.stream for timeline in timelines}
    lanes = []
    for number, timeline in enumerate(timelines, 1):
        prefix = f"{timeline.stream} " if len(streams) > 1 else ""
        run = f", run {number}" if len(timelines) > len(streams) else ""
        for person in timeline.people:
            own = [event for event in timeline.events if event.person == person]
            if own:
                rows = tuple(rows_of([(event.t_start_ns, event.t_end_ns) for event in own]))
                lanes.append(_Lane(f"{prefix}{timeline.name_of(person)}{run}", "", _spans(own, zero_ns, colors), rows))
    if len(lanes) > _MOST_PEOPLE:
        lanes.sort(key=lambda lane: -len(lane.spans or ()))
        others = lanes[_MOST_PEOPLE - 1 :]
        together = tuple(span for lane in others for span in lane.spans or ())
        lanes = [*lanes[: _MOST_PEOPLE - 1], _Lane(f"{len(others)} others", "", together)]
    return lanes if len(lanes) > 1 else []


def _draw_lanes(when: Axes, how_many: Axes, lanes: Sequence[_Lane]) -> None:
    """Draw lanes from the top: events over time on the left, their number on the right."""
    for y, lane in enumerate(lanes):
        if lane.spans is None:
            for axes in (when, how_many):
                axes.axhline(y + 0.38, color=lane.color, linewidth=0.8)
            continue
        height = 0.72 / (max(lane.rows, default=0) + 1)
        for row in range(max(lane.rows, default=0) + 1):
            own = [span for n, span in enumerate(lane.spans) if not lane.rows or lane.rows[n] == row]
            spans = [(start_s, length_s) for start_s, length_s, _ in own]
            colors = [color for _, _, color in own]
            place = y - 0.36 + row * height, height
            when.broken_barh(spans, place, facecolors=colors, edgecolors=colors, linewidth=_EDGE_PT)
        how_many.barh(y, len(spans), height=0.72, color=lane.color or "#404040")
        how_many.annotate(str(len(spans)), (len(spans), y), (2, 0), textcoords="offset points", va="center")
    when.set_yticks(range(len(lanes)), [lane.name for lane in lanes], parse_math=False)
    for text, lane in zip(when.get_yticklabels(), lanes, strict=True):
        text.set_fontweight("bold" if lane.spans is None else "normal")
    if not lanes:
        when.text(0.5, 0.5, "no events", transform=when.transAxes, ha="center", va="center", color="#404040")
    how_many.margins(x=0.16)
    how_many.set_xlim(left=0)
    how_many.xaxis.set_visible(False)  # every bar shows its number
    how_many.spines[["top", "right", "bottom", "left"]].set_visible(False)
    when.spines[["top", "right"]].set_visible(False)
    when.grid(axis="x", color="#DDDDDD", linewidth=0.5)
    when.set_axisbelow(True)
    for axes in (when, how_many):
        axes.tick_params(axis="y", length=0, labelleft=axes is when)


def _draw_gaps(rows: Sequence[Axes], timelines: Sequence[Timeline]) -> None:
    """Draw a gray band where a stream was not recorded between two of its runs."""
    if len({timeline.stream for timeline in timelines}) > 1:
        return
    zero_ns = _zero_ns(timelines)
    for before, after in pairwise(timelines):
        gap_s = (before.last_ns - zero_ns) / NS, (after.first_ns - zero_ns) / NS
        for axes in rows if gap_s[0] < gap_s[1] else ():
            axes.axvspan(*gap_s, color="#EEEEEE", zorder=0)


def _draw_markers(rows: Sequence[Axes], lanes: Sequence[_Lane], timelines: Sequence[Timeline]) -> None:
    """Draw a line through all lanes at each marker, with its text in the lane of its program."""
    found = [marker for timeline in timelines for marker in timeline.markers]
    places = {lane.name: y for y, lane in enumerate(lanes) if lane.color == _MARKER_COLOR}
    for marker in found:
        t_s = (marker.t_ns - _zero_ns(timelines)) / NS
        for axes in rows:
            axes.axvline(t_s, color=_MARKER_COLOR, linewidth=0.4, linestyle=(0, (4, 3)), zorder=0.5)
        if len(found) <= _MOST_TEXTS:
            text, place = " ".join(marker.text.split()), (t_s, places[marker.source])
            written = rows[-1].annotate(text, place, (2, 0), textcoords="offset points", va="center", parse_math=False)
            written.set(fontsize=_TEXT_PT - 1, clip_on=True)


def _label_times(axes: Axes, timelines: Sequence[Timeline], visible: bool) -> None:
    zero_ns = _zero_ns(timelines)
    first_ns = min(timeline.first_ns for timeline in timelines)
    last_ns = max([event.t_end_ns for timeline in timelines for event in timeline.events], default=first_ns)
    last_ns = max(last_ns, *(timeline.last_ns for timeline in timelines))
    start_s, end_s = (first_ns - zero_ns) / NS, max(last_ns - zero_ns, first_ns - zero_ns + NS) / NS
    step_s = next((step for step in _TICKS_S if (end_s - start_s) / step <= _MOST_TICKS), None)
    if step_s is not None:
        axes.xaxis.set_major_locator(MultipleLocator(step_s))
    unit = clock_unit(end_s)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda t_s, _: clock(t_s, unit)))
    axes.set_xlim(start_s, end_s)
    axes.tick_params(labelbottom=visible)
    if visible:
        axes.set_xlabel(f"time in {unit}")


def _write_title(figure: Figure, timelines: Sequence[Timeline]) -> None:
    streams = ", ".join(dict.fromkeys(timeline.stream for timeline in timelines))
    zero_ns = _zero_ns(timelines)  # 0 for a video that does not say when it was recorded
    began = f"{datetime.fromtimestamp(zero_ns / NS, timezone.utc):%Y-%m-%d %H:%M:%S} UTC" if zero_ns else "its start"
    models = "; ".join(dict.fromkeys(timeline.model for timeline in timelines if timeline.model))
    under = f"time 0 is {began}{f'; {models}' if models else ''}"
    figure.suptitle(
        f"{streams}: {summary(timelines)}",
        x=0.01,
        ha="left",
        fontsize=_TEXT_PT + 2,
        fontweight="bold",
        parse_math=False,
    )
    figure.supxlabel(under, x=0.01, ha="left", fontsize=_TEXT_PT - 1, color="#404040", parse_math=False)
