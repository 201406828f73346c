"""The results on real recordings: ranks of what people do, events found, false events. Writes nothing.

Figures are counts, since real recordings are few. An action's rank is taken from the mean of the label messages whose
window ends between 0.3 s after its start and 0.5 s after its end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.recognizer import Recognizer
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.evaluation.matching import event_figures
from mar_edge.training.evaluation.served import NO_ACTION, Served, ServedEvent, ServedLabels, serve_recordings
from mar_edge.training.evaluation.truth import FRAMINGS, RealSet, TrueAction

TIOUS = (0.3, 0.5)
BOUNDS = ("name", "any right name", "body group")
"""What of a reported event must be right: the label, the label or what would be right as well, its body group."""
_SEEN_FROM_S, _SEEN_TO_S, _SEEN_LATER_S = 0.3, 0.5, 1.2
_AROUND_S = 0.3  # an event so near to an action is not one in the middle of nothing
_UNRANKED = 9  # of a body group that was not served


class Ranks(msgspec.Struct, frozen=True, kw_only=True):
    """Of ``actions`` done, how many were ranked so.

    top1, top3, top5: among all actions, "no action" not being an answer. body1: a right body group is first, by summed
    scores. any_top1: the first is the label or another right name. deployed, any_deployed: likewise the first, with "no
    action" as an answer. unheard: no window of the action was looked at; counts as wrong.
    """

    name: str
    actions: int
    top1: int
    top3: int
    top5: int
    body1: int
    any_top1: int
    deployed: int
    any_deployed: int
    unheard: int


class EventLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Events that overlap an action by ``min_tiou`` or more, one for one, and are right by ``by`` (``BOUNDS``)."""

    by: str
    min_tiou: float
    matched: int
    precision: float | None
    recall: float | None
    f1: float | None


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` actions of one label had another one as their first."""

    true: str
    said: str
    count: int


class RealResults(msgspec.Struct, frozen=True, kw_only=True):
    """Of real recordings.

    minutes: of recordings in which something with a name happens; nothing_minutes: of the others. reported: events, in
    all recordings. unknown: actions that were left out, of labels that the model does not know. false: events in
    recordings in which nothing happens, by name; false_per_minute: of these. stray: events that touch no action in the
    other recordings.
    """

    data: str
    recordings: int
    minutes: float
    nothing_minutes: float
    unknown: int
    overall: Ranks
    groups: tuple[Ranks, ...]
    framings: tuple[Ranks, ...]
    confidences: tuple[Ranks, ...]
    reported: int
    events: tuple[EventLevel, ...]
    false: dict[str, int]
    false_per_minute: float | None
    stray: int
    stray_per_minute: float | None
    mistakes: tuple[Confusion, ...]

    def level(self, by: str, min_tiou: float) -> EventLevel:
        """The figures of events that are right so."""
        return next(row for row in self.events if (row.by, row.min_tiou) == (by, min_tiou))


def judge_real(
    real: RealSet, recognizer: Recognizer, rules: PipelineRules | None = None, *, known_only: bool = False
) -> RealResults:
    """Show real recordings to a model and score what it says.

    Args:
        rules: of live use; None for those of ``serve``.
        known_only: leave out actions whose label the model does not know, instead of refusing them.

    Raises:
        MarEdgeError: the model knows not all labels, or takes other skeletons.
    """
    check_fits(real, recognizer.metadata, known_only=known_only)
    return score_real(real, serve_recordings(real, recognizer, rules or PipelineRules()), recognizer.metadata)


def check_fits(real: RealSet, metadata: ModelMetadata, *, known_only: bool) -> None:
    """Raise MarEdgeError unless a model takes these skeletons and knows what happens in the recordings."""
    if metadata.layout != real.layout.name:
        raise MarEdgeError(f"{real.name}: {real.layout.name} skeletons, the model takes {metadata.layout} ones")
    names = {label.name for label in metadata.labels}
    unknown = [name for name in real.labels if name not in names]
    if unknown and (not known_only or len(unknown) == len(real.labels)):
        raise MarEdgeError(
            f"{real.name}: the model does not know {', '.join(map(repr, unknown[:3]))}"
            f"{f' and {len(unknown) - 3} more' if len(unknown) > 3 else ''}; labels match by name; "
            "--known-only leaves such actions out"
        )


@dataclass(frozen=True)
class _Judged:
    """One action. ranks: None where no window of it was looked at."""

    action: TrueAction
    framing: str
    body: str
    ranks: _Rank | None


@dataclass(frozen=True)
class _Rank:
    """Places from 1: of the label and of the best right name, among actions and among all labels; of a right group."""

    label: int
    any: int
    label_deployed: int
    any_deployed: int
    body: int
    first: str


def score_real(real: RealSet, served: Sequence[Served], metadata: ModelMetadata) -> RealResults:
    """The results of what was served of each recording."""
    bodies = {label.name: label.body for label in metadata.labels}
    judged: list[_Judged] = []
    matched: Counter[tuple[str, float]] = Counter()
    false: Counter[str] = Counter()
    acted_s = nothing_s = 0.0
    stray = unknown = 0
    for one, ear in zip(real.recordings, served, strict=True):
        if one.actions:
            acted_s += one.duration_s
            stray += sum(not any(_touches(event, action) for action in one.actions) for event in ear.events)
        else:
            nothing_s += one.duration_s
            false.update(event.label.name for event in ear.events)
        known = [action for action in one.actions if action.label in bodies]
        unknown += len(one.actions) - len(known)
        for by in BOUNDS:
            right = _right(by, bodies)
            matched.update({(by, least): len(_pair(ear.events, known, least, right)) for least in TIOUS})
        judged.extend(
            _Judged(action, one.framing, bodies[action.label], _rank(ear.labels, action, bodies)) for action in known
        )
    reported = sum(len(ear.events) for ear in served)
    return RealResults(
        data=real.name,
        recordings=len(real.recordings),
        minutes=acted_s / 60,
        nothing_minutes=nothing_s / 60,
        unknown=unknown,
        overall=_count("all", judged),
        groups=_split(judged, dict.fromkeys(bodies.values()), attrgetter("body")),
        framings=_split(judged, FRAMINGS, attrgetter("framing")),
        confidences=_split(
            judged, dict.fromkeys(one.action.confidence for one in judged), attrgetter("action.confidence")
        ),
        reported=reported,
        events=tuple(_level(by, least, matched[by, least], reported, len(judged)) for by in BOUNDS for least in TIOUS),
        false=dict(false.most_common()),
        false_per_minute=false.total() / (nothing_s / 60) if nothing_s else None,
        stray=stray,
        stray_per_minute=stray / (acted_s / 60) if acted_s else None,
        mistakes=_mistakes(judged),
    )


def _rank(labels: Sequence[ServedLabels], action: TrueAction, bodies: dict[str, str]) -> _Rank | None:
    start_s, end_s = action.start_s + _SEEN_FROM_S, action.end_s
    inside = [one for one in labels if start_s <= one.t_s <= end_s + _SEEN_TO_S]
    inside = inside or [one for one in labels if start_s <= one.t_s <= end_s + _SEEN_LATER_S][:1]
    if not inside:
        return None
    means: defaultdict[str, float] = defaultdict(float)
    for one in inside:
        for name, score in one.scores.items():
            means[name] += score / len(inside)
    groups: defaultdict[str, float] = defaultdict(float)
    for name, mean in means.items():
        if name != NO_ACTION:
            groups[bodies[name]] += mean
    deployed = sorted(bodies, key=lambda name: -means[name])
    actions = [name for name in deployed if name != NO_ACTION]
    by_group = sorted(groups, key=lambda name: -groups[name])
    right = [name for name in action.names if name in bodies]
    return _Rank(
        label=actions.index(action.label) + 1,
        any=min(actions.index(name) + 1 for name in right),
        label_deployed=deployed.index(action.label) + 1,
        any_deployed=min(deployed.index(name) + 1 for name in right),
        body=min((by_group.index(bodies[name]) + 1 for name in right if bodies[name] in groups), default=_UNRANKED),
        first=deployed[0],
    )


Right = Callable[[ServedEvent, TrueAction], bool]


def _right(by: str, bodies: dict[str, str]) -> Right:
    if by == "name":
        return lambda event, action: event.label.name == action.label
    if by == "any right name":
        return lambda event, action: event.label.name in action.names
    return lambda event, action: event.label.body in {bodies.get(name) for name in action.names}


def _pair(
    events: Sequence[ServedEvent], actions: Sequence[TrueAction], least: float, right: Right
) -> list[tuple[int, int]]:
    """Indices of events and actions that belong together, each once; those that overlap most choose first."""
    overlaps = [
        (_tiou(event, action), i, j)
        for i, event in enumerate(events)
        for j, action in enumerate(actions)
        if right(event, action)
    ]
    pairs: list[tuple[int, int]] = []
    for overlap, i, j in sorted(overlaps, reverse=True):
        if overlap >= least and all(i != other and j != taken for other, taken in pairs):
            pairs.append((i, j))
    return pairs


def _tiou(event: ServedEvent, action: TrueAction) -> float:
    together = min(event.end_s, action.end_s) - max(event.start_s, action.start_s)
    apart = max(event.end_s, action.end_s) - min(event.start_s, action.start_s)
    return max(together, 0.0) / apart


def _touches(event: ServedEvent, action: TrueAction) -> bool:
    return min(event.end_s, action.end_s + _AROUND_S) > max(event.start_s, action.start_s - _AROUND_S)


def _level(by: str, min_tiou: float, matched: int, reported: int, actions: int) -> EventLevel:
    figures = event_figures(true=actions, live=reported, matched=matched)
    return EventLevel(
        by=by,
        min_tiou=min_tiou,
        matched=matched,
        precision=figures.precision,
        recall=figures.recall,
        f1=figures.f1,
    )


def _split(judged: Sequence[_Judged], names: Iterable[str], key: Callable[[_Judged], str]) -> tuple[Ranks, ...]:
    rows = (_count(name, [one for one in judged if key(one) == name]) for name in names)
    return tuple(row for row in rows if row.actions)


def _count(name: str, judged: Sequence[_Judged]) -> Ranks:
    ranks = [one.ranks for one in judged if one.ranks is not None]
    return Ranks(
        name=name,
        actions=len(judged),
        top1=sum(rank.label == 1 for rank in ranks),
        top3=sum(rank.label <= 3 for rank in ranks),
        top5=sum(rank.label <= 5 for rank in ranks),
        body1=sum(rank.body == 1 for rank in ranks),
        any_top1=sum(rank.any == 1 for rank in ranks),
        deployed=sum(rank.label_deployed == 1 for rank in ranks),
        any_deployed=sum(rank.any_deployed == 1 for rank in ranks),
        unheard=len(judged) - len(ranks),
    )


def _mistakes(judged: Sequence[_Judged]) -> tuple[Confusion, ...]:
    wrong = Counter(
        (one.action.label, one.ranks.first) for one in judged if one.ranks and one.ranks.first not in one.action.names
    )
    return tuple(Confusion(true=true, said=said, count=count) for (true, said), count in wrong.most_common())
