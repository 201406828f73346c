"""Pictures of a report: rates of participants, and the events of a video in one strip. Both are SVG."""

from __future__ import annotations

import base64
import io
import statistics
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

from mar_edge.analysis.summary import AnalyzedVideo, ParticipantSummary
from mar_edge.streaming.recording.timeline import body_of
from mar_edge.view.plot import COLORS

_MARKS = "osD^vP*X"
_INCHES_A_ROW = 0.22
_WIDTH_INCHES = 7.2


@dataclass(frozen=True)
class Strip:
    """The events of a video, drawn in a picture 1000 units wide.

    paths: (color, path) of each body group with events, a row for each. height: units.
    """

    paths: tuple[tuple[str, str], ...]
    height: int


def strip(video: AnalyzedVideo, colors: dict[str, str]) -> Strip:
    """Draw the events of a video: a row for each body group that occurs."""
    scale = 1000 / max(video.result.duration_ns, 1)
    paths: list[tuple[str, str]] = []
    occurring = {body_of(event.label) for event in video.events}
    for color, body in ((color, body) for body, color in colors.items() if body in occurring):
        y = 5 + 10 * len(paths)
        own = [event for event in video.events if body_of(event.label) == body]
        spans = [(event.onset_ns * scale, (event.offset_ns - event.onset_ns) * scale) for event in own]
        # The shortest event can be seen, too.
        paths.append((color, "".join(f"M{x:.1f} {y}h{max(width, 1.0):.1f}" for x, width in spans)))
    return Strip(tuple(paths), 10 * max(len(paths), 1))


def draw_rates(summaries: Sequence[ParticipantSummary], bodies: Sequence[str], conditions: Sequence[str]) -> str:
    """Draw events per minute by body group: a mark for each participant, a line at the mean of each condition.

    Returns:
        The picture, SVG, as a ``data:`` URL.
    """
    rows = len(bodies) * len(conditions)
    style = mpl.rc_context({"font.size": 8, "axes.linewidth": 0.6, "svg.fonttype": "none", "svg.hashsalt": "mar-edge"})
    with style, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the viewer may have it
        figure = Figure(figsize=(_WIDTH_INCHES, 1.0 + _INCHES_A_ROW * rows), layout="constrained")
        axes = figure.subplots()
        for place, condition in enumerate(conditions):
            color, mark = COLORS[place % len(COLORS)], _MARKS[place % len(_MARKS)]
            for row, body in enumerate(bodies):
                y = row + (place + 0.5) / len(conditions) - 0.5
                rates = [
                    tally.rate
                    for summary in summaries
                    for tally in summary.groups
                    if summary.condition == condition and tally.name == body and tally.rate is not None
                ]
                axes.plot(
                    rates,
                    [y] * len(rates),
                    mark,
                    color=color,
                    markersize=4,
                    alpha=0.6,
                    markeredgewidth=0,
                    clip_on=False,
                )
                if rates:
                    mean, half = statistics.fmean(rates), 0.35 / len(conditions)
                    axes.plot([mean, mean], [y - half, y + half], color=color, linewidth=2)
            if len(conditions) > 1:
                axes.plot([], [], mark, color=color, label=condition or "no condition")
        axes.set_yticks(range(len(bodies)), list(bodies), parse_math=False)
        axes.set_ylim(len(bodies) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel("events per minute with a person in view")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.5)
        axes.set_axisbelow(True)
        if len(conditions) > 1:
            for text in figure.legend(loc="outside upper left", ncols=len(conditions), frameon=False).get_texts():
                text.set_parse_math(False)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"
