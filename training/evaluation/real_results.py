"""Results on real recordings: ranks of the true actions, events found, false events. Writes nothing.

Figures are counts, because real recordings are few. The rank of an action is that in the mean of its label messages.
These are the messages whose window ends between 0.3 s after its start and 0.5 s after its end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import msgspec

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.matching import event_figures, pair_by_overlap
from mar_edge.training.evaluation.detection_results import DetectionResults, score_real_detection
from mar_edge.training.evaluation.served import NO_ACTION, Served, ServedEvent, ServedLabels, serve_recordings
from mar_edge.training.evaluation.truth import FRAMINGS, RealSet, TrueAction

TIOUS = (0.3, 0.5)
CRITERIA = ("name", "any correct name", "body group")
"""What makes a reported event correct: its label; its label or another correct one; its body group."""
_SEEN_FROM_S, _SEEN_TO_S, _SEEN_LATER_S = 0.3, 0.5, 1.2
_AROUND_S = 0.3  # an event this near to an action is not stray
_UNRANKED = 9  # rank of a body group that is in no message


class Ranks(msgspec.Struct, frozen=True, kw_only=True):
    """Number of ``actions`` whose true label has a certain rank.

    top1, top3, top5: rank among all actions, "no action" excluded.

    body1: a correct body group is first, by summed scores. any_top1: the first is the label or another correct name.

    deployed, any_deployed: as top1 and any_top1, with "no action" included.

    without_window: actions of which no window was evaluated; they count as wrong.
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
    without_window: int = msgspec.field(name="unheard")


class EventLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Events matched with one action each, by an overlap of ``min_tiou`` or more and by ``by`` (``CRITERIA``)."""

    by: str
    min_tiou: float
    matched: int
    precision: float | None
    recall: float | None
    f1: float | None


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` actions of one label were predicted as another."""

    true: str
    predicted: str = msgspec.field(name="said")
    count: int


class RealResults(msgspec.Struct, frozen=True, kw_only=True):
    """Results on real recordings.

    minutes: of recordings with actions; nothing_minutes: of recordings without. Both count only what is known
    (``RealRecording.known``), as all figures do.

    reported: events in all recordings. unknown: actions left out because the model does not know their label.

    false: events in recordings without actions, by name; false_per_minute: of these.

    stray: events in recordings with actions that touch none of them.

    detection: by candidate intervals; None if no windows were kept, or parts of a recording are unknown.
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
    detection: DetectionResults | None = None

    def level(self, by: str, min_tiou: float) -> EventLevel:
        """Return the figures of events matched by this criterion and overlap."""
        return next(row for row in self.events if (row.by, row.min_tiou) == (by, min_tiou))


def evaluate_real(
    real: RealSet, recognizer: WindowRecognizer, rules: PipelineRules | None = None, *, known_only: bool = False
) -> RealResults:
    """Run a model on real recordings and score its messages.

    Args:
        rules: how skeletons become events; None for those of ``serve``.
        known_only: leave out actions whose label the model does not know, instead of refusing them.

    Raises:
        MarEdgeError: the model does not know all labels, or takes other skeletons.
    """
    check_fits(real, recognizer.metadata, known_only=known_only)
    return score_real(real, serve_recordings(real, recognizer, rules or PipelineRules()), recognizer.metadata)


def check_fits(real: RealSet, metadata: ModelMetadata, *, known_only: bool) -> None:
    """Raise MarEdgeError unless a model takes these skeletons and knows the actions in the recordings."""
    if metadata.layout != real.layout.name:
        raise MarEdgeError(f"{real.name}: {real.layout.name} skeletons, the model takes {metadata.layout} ones")
    names = {label.name for label in metadata.labels}
    unknown = [name for name in real.labels if name not in names]
    if unknown and (not known_only or len(unknown) == len(real.labels)):
        raise MarEdgeError(
            f"{real.name}: the model does not know {', '.join(map(repr, unknown[:3]))}"
            f"{f' and {len(unknown) - 3} more' if len(unknown) > 3 else ''}; labels match by name; "
            f"--known-only leaves such actions out{did_you_mean(unknown[0], names)}"
        )


@dataclass(frozen=True)
class _RankedAction:
    """One action. ranks: None if no window of it was evaluated."""

    action: TrueAction
    framing: str
    body: str
    ranks: _Rank | None


@dataclass(frozen=True)
class _Rank:
    """Ranks from 1: of the label, of the best correct name (``any``) and of a correct body group.

    label, any: among actions; label_deployed, any_deployed: among all labels. first: the label of rank 1 among all.
    """

    label: int
    any: int
    label_deployed: int
    any_deployed: int
    body: int
    first: str


def score_real(real: RealSet, served: Sequence[Served], metadata: ModelMetadata) -> RealResults:
    """Score the messages and events of each recording."""
    bodies = {label.name: label.body for label in metadata.labels}
    ranked: list[_RankedAction] = []
    matched: Counter[tuple[str, float]] = Counter()
    false: Counter[str] = Counter()
    acted_s = nothing_s = 0.0
    stray = unknown = 0
    reported = 0
    for one, sent in zip(real.recordings, served, strict=True):
        events = [event for event in sent.events if one.is_known(event.start_s, event.end_s, event.label.name)]
        reported += len(events)
        if one.actions:
            acted_s += one.known_s
            stray += sum(not any(_touches(event, action) for action in one.actions) for event in events)
        else:
            nothing_s += one.known_s
            false.update(event.label.name for event in events)
        known = [action for action in one.actions if action.label in bodies]
        unknown += len(one.actions) - len(known)
        for by in CRITERIA:
            is_correct = _criterion(by, bodies)
            matched.update({(by, least): len(_pair(events, known, least, is_correct)) for least in TIOUS})
        ranked.extend(
            _RankedAction(action, one.framing, bodies[action.label], _rank(sent.labels, action, bodies))
            for action in known
        )
    return RealResults(
        data=real.name,
        recordings=len(real.recordings),
        minutes=acted_s / 60,
        nothing_minutes=nothing_s / 60,
        unknown=unknown,
        overall=_count("all", ranked),
        groups=_split(ranked, dict.fromkeys(bodies.values()), attrgetter("body")),
        framings=_split(ranked, FRAMINGS, attrgetter("framing")),
        confidences=_split(
            ranked, dict.fromkeys(one.action.confidence for one in ranked), attrgetter("action.confidence")
        ),
        reported=reported,
        events=tuple(
            _level(by, least, matched[by, least], reported, len(ranked)) for by in CRITERIA for least in TIOUS
        ),
        false=dict(false.most_common()),
        false_per_minute=false.total() / (nothing_s / 60) if nothing_s else None,
        stray=stray,
        stray_per_minute=stray / (acted_s / 60) if acted_s else None,
        mistakes=_mistakes(ranked),
        detection=score_real_detection(real, served, metadata, TIOUS[-1])
        if all(sent.windows is not None for sent in served) and all(one.known is None for one in real.recordings)
        else None,
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
    correct = [name for name in action.names if name in bodies]
    return _Rank(
        label=actions.index(action.label) + 1,
        any=min(actions.index(name) + 1 for name in correct),
        label_deployed=deployed.index(action.label) + 1,
        any_deployed=min(deployed.index(name) + 1 for name in correct),
        body=min((by_group.index(bodies[name]) + 1 for name in correct if bodies[name] in groups), default=_UNRANKED),
        first=deployed[0],
    )


Criterion = Callable[[ServedEvent, TrueAction], bool]


def _criterion(by: str, bodies: dict[str, str]) -> Criterion:
    if by == "name":
        return lambda event, action: event.label.name == action.label
    if by == "any correct name":
        return lambda event, action: event.label.name in action.names
    return lambda event, action: event.label.body in {bodies.get(name) for name in action.names}


def _pair(
    events: Sequence[ServedEvent], actions: Sequence[TrueAction], least: float, is_correct: Criterion
) -> list[tuple[int, int]]:
    """Return pairs of indices of matching events and actions, each used once, the largest overlap first."""
    return pair_by_overlap(
        [(event.start_s, event.end_s) for event in events],
        [(action.start_s, action.end_s) for action in actions],
        least,
        lambda i, j: is_correct(events[i], actions[j]),
    )


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


def _split(
    ranked: Sequence[_RankedAction], names: Iterable[str], key: Callable[[_RankedAction], str]
) -> tuple[Ranks, ...]:
    rows = (_count(name, [one for one in ranked if key(one) == name]) for name in names)
    return tuple(row for row in rows if row.actions)


def _count(name: str, ranked: Sequence[_RankedAction]) -> Ranks:
    ranks = [one.ranks for one in ranked if one.ranks is not None]
    return Ranks(
        name=name,
        actions=len(ranked),
        top1=sum(rank.label == 1 for rank in ranks),
        top3=sum(rank.label <= 3 for rank in ranks),
        top5=sum(rank.label <= 5 for rank in ranks),
        body1=sum(rank.body == 1 for rank in ranks),
        any_top1=sum(rank.any == 1 for rank in ranks),
        deployed=sum(rank.label_deployed == 1 for rank in ranks),
        any_deployed=sum(rank.any_deployed == 1 for rank in ranks),
        without_window=len(ranked) - len(ranks),
    )


def _mistakes(ranked: Sequence[_RankedAction]) -> tuple[Confusion, ...]:
    wrong = Counter(
        (one.action.label, one.ranks.first) for one in ranked if one.ranks and one.ranks.first not in one.action.names
    )
    return tuple(
        Confusion(true=true, predicted=predicted, count=count) for (true, predicted), count in wrong.most_common()
    )
