"""Concurrent actions of one person: four tracks, of head, trunk, hands and legs, each with its own pauses.

Within a track one action follows another. Tracks are independent, except that legs stay where a hand needs them.
Frequencies mix the square root of interview frequencies with uniform ones, so that rare actions are learned too.
Durations are those of interviews. A held posture with a posture's name (``HELD``) is one event from beginning to end.
For longer steps of other actions, the way out and the way back are separate events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.actions.row import Manner
from mar_edge.training.synth.draws import Draws, Floats, Ints, Range
from mar_edge.training.synth.events import LABEL_OF, SEEN_MOVING, TrueEvent
from mar_edge.training.synth.perform import ALWAYS, MANNERS, ROWS, Lists, Performances, joined
from mar_edge.training.synth.rates import draw_durations, per_minute
from mar_edge.training.synth.schedule import UNNAMED_ROWS

HEAD, TRUNK, HANDS, LEGS = range(4)
_GROUPS = {"head": HEAD, "body": TRUNK, "lower limb": LEGS, "upper limb": HANDS}
# Ids of actions whose event includes the stay.
HELD = frozenset((*range(11, 26), 28, *range(31, 52)))

# Share of the time in which each track of an average person is active.
_ACTIVE = (0.46, 0.085, 0.87, 0.24)
_LIVELINESS = 0.4  # standard deviation of log pauses between people
_QUIET, _QUIET_PAUSES = 0.2, 1.9  # share of quiet people, and the factor on their pauses
_UNIFORM = 0.2  # share of actions drawn with uniform frequencies
_BEFORE_S = 16.0  # start of tracks before the recording: longer than nearly all actions
_SHORT_S = 2.5  # a step that returns within this time is one event, whatever its name
_LONGEST_MOVE_S = 2.5  # of a step that does not return
_ARRIVED_S: Range = (0.3, 3.0)  # stay of a step that does not return, before it fades
# Durations, s. The way to the start of an action if it is an event or belongs to the action, and the wait there.
# Other ways to the start. The fading of an action's remaining posture.
_WAYS_S = np.array(((0.5, 1.1), (0.6, 2.0), (1.5, 3.0), (1.5, 3.0)), np.float32)
_UNNAMED = 0.3  # probability, in a pause that is long enough
_AROUND_UNNAMED_S = 1.0
_LONGEST_S = 8.0  # the clip length that actions are drawn for, before they get interview durations
_MOMENTS = 120  # samples for finding a curve's beginning and end
_SHORTEST_EVENT_S = 0.1  # visible in the recording
_RETURNS = 0.15  # manners that return less often do not return in recordings


def _track(index: int) -> int:
    """Return the track of a row: by its body group, or by the limbs that it moves."""
    row = ROWS[index]
    group = LABEL_OF[row.id].body if index < len(ACTIONS) else ""
    if any(manner.hands for manner in row.manners):
        return _GROUPS.get(group, HANDS)
    return _GROUPS.get(group, LEGS if any(manner.legs for manner in row.manners) else TRUNK)


_TRACK = np.array([_track(index) for index in range(len(ROWS))])


def _within(index: int, manner: Manner) -> float:
    """Return the weight of a manner, given that other tracks use the other limbs."""
    free = (_TRACK[index] == HANDS or not manner.hands) and (_TRACK[index] == LEGS or not manner.legs)
    return manner.weight * (1.0 if free else 1e-6)


_MANNERS_WITHIN = Lists(
    [len(row.manners) for row in ROWS], [_within(i, manner) for i, row in enumerate(ROWS) for manner in row.manners]
)
_COMES_BACK = np.array([getattr(m.course, "returns", 1.0) >= _RETURNS for m in MANNERS])
_LEAVES = np.array([m.leaves for m in MANNERS])
_PREPARED = np.array([m.prepared for m in MANNERS])
_LAG_S = np.array([max((limb.lag_s[1] for limb in m.limbs), default=0.0) for m in MANNERS])
_MOVES_LEGS = np.array([bool(m.legs) for m in MANNERS])
_HOLDS = np.array([row.id in HELD for row in ROWS])


@dataclass(frozen=True)
class Slot:
    """The times of one action, s: the way to its start, the action, its end, and the end of the fading."""

    start: float
    ready: float
    onset: float
    stop: float
    gone: float


def act(draws: Draws, duration_s: float, rows: Ints, pace: Floats) -> tuple[Performances, tuple[TrueEvent, ...]]:
    """Draw performances of ``rows`` in all tracks from 0 to ``duration_s``, and the visible events by start time.

    Actions that began earlier are in progress at 0. Event times are clipped to the recording.
    """
    slowness = (
        np.exp(np.float32(_LIVELINESS) * draws.normal(1))[0]
        * np.where(draws.chance(_QUIET, 1), np.float32(_QUIET_PAUSES), np.float32(1))[0]
    )
    parts: list[Performances] = []
    events: list[TrueEvent] = []
    taken: list[tuple[float, float]] = []
    for track in (HANDS, LEGS, TRUNK, HEAD):
        mine = rows[_TRACK[rows] == track]
        if not len(mine):
            continue
        doing, slots = _fill(draws, duration_s, mine, float(slowness) * _pause_s(track), pace)
        if track == LEGS:
            free = [i for i, slot in enumerate(slots) if not any(a < slot.gone and slot.start < b for a, b in taken)]
            doing, slots = doing.take(np.array(free, np.intp)), [slots[i] for i in free]
        taken += [
            (slot.start, slot.gone)
            for slot, manner in zip(slots, doing.manner, strict=True)
            if track == HANDS and _MOVES_LEGS[manner]
        ]
        parts += [doing, _between(draws, slots, track, duration_s, pace)]
        events += _events(doing, slots)
    shown = [
        replace(event, t_start=max(event.t_start, 0.0), t_end=min(event.t_end, duration_s))
        for event in events
        if event.t_start < duration_s - _SHORTEST_EVENT_S and event.t_end > _SHORTEST_EVENT_S
    ]
    return joined(*parts), tuple(sorted(shown, key=lambda event: event.t_start))


def weights(rows: Ints) -> Floats:
    """Return the frequency (len(rows),) of each of the rows of one track; sums to 1."""
    often = np.sqrt(per_minute()[rows])
    share: Floats = ((1 - _UNIFORM) * often / often.sum() + _UNIFORM / len(rows)).astype(np.float32)
    return share


@cache
def _pause_s(track: int) -> float:
    """Return the mean pause of a track, s, for its active share ``_ACTIVE``."""
    rows = np.flatnonzero(_TRACK[: len(ACTIONS)] == track)
    some = np.repeat(rows, np.maximum(np.round(1000 * weights(rows)), 1).astype(np.intp))
    lasts = float(draw_durations(Draws(np.random.default_rng(0)), some).mean())
    return lasts * (1 - _ACTIVE[track]) / _ACTIVE[track]


def _fill(draws: Draws, duration_s: float, rows: Ints, pause_s: float, pace: Floats) -> tuple[Performances, list[Slot]]:
    """Fill one track with a sequence of actions, from before the recording to its end."""
    most = int((duration_s + 2 * _BEFORE_S) / 0.8) + 1
    row = rows[draws.choice(weights(rows).tolist(), most)]
    doing = _lasting(draws, row, pace)
    length = doing.curves.length + (_LAG_S[doing.manner] * pace).astype(np.float32)
    pauses = -np.log(1 - draws.uniform((0, 0.999), most)) * pause_s
    ways = draws.uniform((0, 1), most, len(_WAYS_S)) * (_WAYS_S[:, 1] - _WAYS_S[:, 0]) + _WAYS_S[:, 0]
    slots: list[Slot] = []
    free = -_BEFORE_S - float(draws.uniform((0, 4), 1)[0])
    for i in range(most):
        stays_s = float(doing.curves.step.hold[i]) if _stays(doing, i) else 0.0
        slot = _slot(free, free + float(pauses[i]), int(doing.manner[i]), float(length[i]) + stays_s, ways[i].tolist())
        if slot.start > duration_s:
            break
        slots.append(slot)
        free = slot.stop
    doing = doing.take(np.arange(len(slots)))
    onset = np.array([slot.onset for slot in slots], np.float32)
    doing = replace(doing, curves=doing.curves.starting(onset), presence=_presence(slots))
    seen = [i for i, slot in enumerate(slots) if slot.gone > 0]
    return doing.take(np.array(seen, np.intp)), [slots[i] for i in seen]


def _stays(doing: Performances, i: int) -> bool:
    """Tell whether a step that does not return stays at its end point."""
    return not doing.curves.swings[i] and not doing.curves.step.returns[i]


def _lasting(draws: Draws, row: Ints, pace: Floats) -> Performances:
    """Draw whole performances of ``row`` with durations of real people."""
    once = np.full(1, _LONGEST_S, np.float32)
    doing = Performances.draw(draws, np.zeros(len(row), np.intp), row, once, pace, manners=_MANNERS_WITHIN)
    curves = doing.curves.returning(_COMES_BACK[doing.manner])
    wanted = draw_durations(draws, row) * pace
    one_way = ~curves.swings & ~curves.step.returns
    # A step without return ends on arrival; a named posture is held as long as people hold it.
    arriving = np.where(_HOLDS[row], curves.step.move, np.minimum(wanted, np.float32(_LONGEST_MOVE_S)))
    held = np.where(_HOLDS[row], np.maximum(wanted - arriving, 0), draws.uniform(_ARRIVED_S, len(row)))
    curves = curves.lasting(np.where(one_way, arriving, wanted).astype(np.float32))
    hold = np.where(one_way, held, curves.step.hold).astype(np.float32)
    return replace(doing, curves=replace(curves, step=replace(curves.step, hold=hold)))


def _slot(free: float, earliest: float, manner: int, length_s: float, ways_s: Sequence[float]) -> Slot:
    """Return the next slot of a track that is free from ``free`` on, its action not before ``earliest``."""
    if not _PREPARED[manner]:
        stop = earliest + length_s
        return Slot(earliest, earliest, earliest, stop, stop)
    quick_s, wait_s, slow_s, fade_s = ways_s
    if _LEAVES[manner]:
        start = earliest
        ready = start + quick_s
        onset = ready + wait_s
    else:
        start = max(free, earliest - slow_s)
        ready = onset = start + slow_s
    stop = onset + length_s
    return Slot(start, ready, onset, stop, stop + fade_s)


def _presence(slots: Sequence[Slot]) -> Floats:
    times = [(s.start, s.ready, s.stop, s.gone) if s.gone > s.stop else ALWAYS for s in slots]
    return np.array(times, np.float32).reshape(-1, 4)


def _events(doing: Performances, slots: Sequence[Slot]) -> list[TrueEvent]:
    """Return the events that an observer sees in the performances of a track."""
    onset, length = doing.curves.onset, doing.curves.length
    times = onset[:, None] + length[:, None] * np.linspace(0, 1, _MOMENTS, dtype=np.float32)
    curve = doing.curves.take(np.arange(len(slots)))(times)
    moving = np.abs(curve) > SEEN_MOVING
    there = np.abs(curve - 1) <= SEEN_MOVING
    unfinished = np.abs(curve - curve[:, -1:]) > SEEN_MOVING
    events: list[TrueEvent] = []

    def add(number: int | None, t_start: float, t_end: float) -> None:
        if number is not None and t_end > t_start:
            events.append(TrueEvent(LABEL_OF[number], t_start, t_end))

    for i, slot in enumerate(slots):
        action, late = ROWS[doing.row[i]], float(_LAG_S[doing.manner[i]] * doing.pace[i])
        held = bool(_HOLDS[doing.row[i]])
        begin = float(times[i, moving[i].argmax()])
        end = float(times[i, _MOMENTS - 1 - unfinished[i, ::-1].argmax()]) + late
        if _LEAVES[doing.manner[i]]:
            # A smooth step is visible from 0.1 to 0.9 of its duration.
            shown = 0.1 * (slot.ready - slot.start)
            if action.after is None:
                begin = slot.start + shown
            else:
                add(action.after, slot.start + shown, begin if action.after in HELD else slot.ready - shown)
        if held and _stays(doing, i):
            end = slot.stop
        stay = times[i, there[i]]
        parts = not held and not doing.curves.swings[i] and doing.curves.step.returns[i] and end - begin > _SHORT_S
        if parts and len(stay):
            add(action.id, begin, float(stay[0]) + late)
            add(action.back, float(stay[-1]), end)
        else:
            add(action.id, begin, end)
    return events


def _between(draws: Draws, slots: Sequence[Slot], track: int, duration_s: float, pace: Floats) -> Performances:
    """Draw movements without a name in some of the pauses of a track that are long enough."""
    rows = UNNAMED_ROWS[_TRACK[UNNAMED_ROWS] == track]
    begin = np.array([0.0, *(slot.gone for slot in slots)], np.float32)
    end = np.array([*(slot.start for slot in slots), duration_s], np.float32)
    P = len(begin)
    if not len(rows):
        rows = UNNAMED_ROWS
        P = 0
    row = rows[draws.choice([ROWS[i].weight for i in rows], P)]
    once = np.full(1, _LONGEST_S, np.float32)
    doing = Performances.draw(draws, np.zeros(P, np.intp), row, once, pace, manners=_MANNERS_WITHIN)
    doing = replace(doing, curves=doing.curves.returning(_COMES_BACK[doing.manner]))
    way = np.float32(_AROUND_UNNAMED_S)
    spare = end[:P] - begin[:P] - doing.curves.length - 2 * way
    fits = np.flatnonzero((spare > 0) & draws.chance(_UNNAMED, P))
    onset = begin[:P] + way + draws.uniform((0, 1), P) * np.maximum(spare, 0)
    return put(doing, onset.astype(np.float32)).take(fits)


def put(doing: Performances, onset: Floats) -> Performances:
    """Return the performances starting at ``onset`` (P,), present only around that time."""
    end, way = onset + doing.curves.length, np.float32(_AROUND_UNNAMED_S)
    presence = np.stack([onset - way, onset, end, end + way], axis=-1)
    return replace(doing, curves=doing.curves.starting(onset), presence=presence)
