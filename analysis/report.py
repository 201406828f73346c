"""The report of a study: one HTML file that needs no other, and no network.

It is readable without JavaScript; with it, a click on a heading sorts the table.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jinja2
import msgspec

from mar_edge import __version__
from mar_edge.analysis.choices import CountPeople
from mar_edge.analysis.pictures import Strip, draw_rates, strip
from mar_edge.analysis.settings import AnalyzeConfig
from mar_edge.analysis.summary import AnalyzedVideo, ParticipantSummary, Tally
from mar_edge.analysis.trust import trust
from mar_edge.analysis.workers import Failed
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.served_models import ServedModels
from mar_edge.streaming.recording.timeline import NS
from mar_edge.view.plot import COLORS
from mar_edge.view.wording import clock, clock_unit

_MOST_FREQUENT = 3
# A rate of one event is then more than 0.5 per minute.
_BRIEF_MINUTES = 2


@dataclass(frozen=True)
class StudyReport:
    """Content of a report.

    summaries: participants in conditions. failed: videos without a result. people: which are counted.
    coder: whose corrections count; None for none.
    metadata: of the model. config: how videos are analyzed now.
    """

    summaries: Sequence[ParticipantSummary]
    failed: Sequence[Failed]
    people: CountPeople
    coder: str | None
    metadata: ModelMetadata
    config: AnalyzeConfig

    @property
    def videos(self) -> list[AnalyzedVideo]:
        """All analyzed videos."""
        return [video for summary in self.summaries for video in summary.videos]

    @property
    def conditions(self) -> list[str]:
        """The conditions, in the order in which they occur."""
        return list(dict.fromkeys(summary.condition for summary in self.summaries))


@dataclass(frozen=True)
class Spread:
    """Rates of the participants of one condition, per minute: how many, mean and standard deviation.

    mean: None without a participant in view. deviation: None of fewer than two.
    """

    participants: int
    mean: float | None
    deviation: float | None


@dataclass(frozen=True)
class ActionRow:
    """An action that occurred. shown_by: participants. spreads: one for each condition."""

    name: str
    body: str
    count: int
    mean_s: float | None
    shown_by: int
    spreads: tuple[Spread, ...]


def write_report(report: StudyReport) -> bytes:
    """Return the report, HTML, UTF-8. The same study gives the same bytes."""
    bodies = list(dict.fromkeys(tally.name for summary in report.summaries for tally in summary.groups))
    colors = {body: COLORS[index % len(COLORS)] for index, body in enumerate(bodies)}
    html = (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            version=__version__,
            lead=list(_lead(report)),
            trust=trust(report.metadata, report.config.models == ServedModels()),
            bodies=bodies,
            colors=colors,
            groups=[(body, [_spread(_of(report, one), (body, None)) for one in report.conditions]) for body in bodies],
            highest=max((tally.rate or 0.0 for one in report.summaries for tally in one.groups), default=0.0),
            actions=_actions(report),
            rates=draw_rates(report.summaries, bodies, report.conditions) if report.summaries else "",
            strips=[_strip(video, colors) for video in report.videos],
            sha256=report.config.settings()["model"],
            settings=_settings(report),
        )
    )
    return html.encode("utf-8", "backslashreplace")  # names of files may hold any bytes


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mar_edge.analysis"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": _figure, "clock": _clock, "frequent": _frequent}
    return environment


def _figure(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _clock(t_s: float) -> str:
    unit = clock_unit(t_s)
    return f"{clock(round(t_s, 1), unit)} {unit}"


def _frequent(summary: ParticipantSummary) -> str:
    """Return the most frequent actions of a participant, with their counts."""
    ranked = sorted((tally for tally in summary.actions if tally.count), key=lambda tally: -tally.count)
    return ", ".join(f"{tally.name} ({tally.count})" for tally in ranked[:_MOST_FREQUENT]) or "–"


def _lead(report: StudyReport) -> Iterator[str]:
    """Yield what somebody reads who reads nothing else."""
    videos, summaries = report.videos, report.summaries
    participants = len({summary.participant for summary in summaries})
    minutes, seen = sum(one.minutes for one in summaries), sum(one.seen_minutes for one in summaries)
    events = sum(one.events for one in summaries)
    named = [condition for condition in report.conditions if condition]
    conditions = f" in {_count(len(named), 'condition')}" if named else ""
    yield (
        f"{_count(len(videos), 'video')} of {_count(participants, 'participant')}{conditions}: {minutes:.1f} minutes, "
        f"{seen:.1f} of them with a person in view."
    )
    if seen:
        yield f"{_count(events, 'event')}, {events / seen:.2f} per minute with a person in view."
    lost = sum(one.frames_dropped for one in summaries)
    frames = sum(one.frames for one in summaries)
    if lost:
        yield f"{lost} of {frames + lost} frames could not be decoded."
    empty = [_who(one) for one in summaries if not one.seen_minutes]
    if empty:
        yield f"Nobody was found in the videos of {', '.join(empty)}: rates are unknown there."
    brief = [_who(one) for one in summaries if 0 < one.seen_minutes < _BRIEF_MINUTES]
    if brief:
        yield (
            f"In view for less than {_BRIEF_MINUTES} minutes: {', '.join(brief)}. "
            "Rates of so little time rest on single events."
        )
    crowded = sum(len(video.result.people) > 1 for video in videos)
    if crowded:
        who = "all of them are counted" if report.people == "all" else "the one in view longest is counted"
        yield f"{_count(crowded, 'video')} with several persons: {who}."
    if report.coder is not None:
        done = sum(video.is_corrected for video in videos)
        yield f"{_count(done, 'video')} as corrected by {report.coder}; the others as the model reported them."
    if report.failed:
        yield f"{_count(len(report.failed), 'video')} could not be analyzed."


def _who(summary: ParticipantSummary) -> str:
    return f"{summary.participant} ({summary.condition})" if summary.condition else summary.participant


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _of(report: StudyReport, condition: str) -> list[ParticipantSummary]:
    return [summary for summary in report.summaries if summary.condition == condition]


def _spread(summaries: Sequence[ParticipantSummary], key: tuple[str, int | None]) -> Spread:
    """Return the rates of an action or a body group."""
    rates = [
        tally.rate
        for summary in summaries
        for tally in (*summary.actions, *summary.groups)
        if tally.rate is not None and tally.key == key
    ]
    return Spread(
        len(rates), statistics.fmean(rates) if rates else None, statistics.stdev(rates) if len(rates) > 1 else None
    )


def _actions(report: StudyReport) -> list[ActionRow]:
    found: dict[tuple[str, int | None], list[tuple[str, Tally]]] = {}
    for summary in report.summaries:
        for tally in summary.actions:
            if tally.count:
                found.setdefault(tally.key, []).append((summary.participant, tally))
    rows = []
    for key, own in found.items():
        first, count = own[0][1], sum(tally.count for _, tally in own)
        rows.append(
            ActionRow(
                name=first.name,
                body=first.body,
                count=count,
                mean_s=sum(tally.total_s for _, tally in own) / count,
                shown_by=len({participant for participant, _ in own}),
                spreads=tuple(_spread(_of(report, condition), key) for condition in report.conditions),
            )
        )
    return sorted(rows, key=lambda row: (-row.count, row.name))


def _strip(video: AnalyzedVideo, colors: dict[str, str]) -> tuple[AnalyzedVideo, float, str, Strip]:
    """Return a video, its seconds, the name of its picture, and its events drawn."""
    picture = next((name for name in video.result.files if name.endswith((".png", ".svg"))), "")
    return video, video.result.duration_ns / NS, picture, strip(video, colors)


def _settings(report: StudyReport) -> list[tuple[int, str]]:
    """Return each kind of settings, with the number of videos that were analyzed with it: one, unless files are old."""
    shown: dict[str, int] = {}
    for video in report.videos:
        text = msgspec.json.format(msgspec.json.encode(video.result.settings), indent=2).decode()
        shown[text] = shown.get(text, 0) + 1
    return [(count, text) for text, count in shown.items()]
