"""Continuous recordings of one person in front of one camera, with their true events: for evaluating a stream.

Whole actions follow each other with pauses between, or several happen at once (``training.synth.tracks``). The way to
the start of an action, such as legs apart before closing them, is an event if it has a name. Otherwise it is
slow. After a stay, the way back is a movement of its own. A hand that stays at a face is an action throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label
from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.courses import Step
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints, Range
from mar_edge.training.synth.events import LABEL_OF, SEEN_MOVING, TrueEvent
from mar_edge.training.synth.faults import Shown, keypoints, skeletons
from mar_edge.training.synth.figure import draw_figures
from mar_edge.training.synth.framing import Framing, draw_framing, shows_legs
from mar_edge.training.synth.generator import BACKGROUND_EXTRA_DEG, CLASSES
from mar_edge.training.synth.hand_parts import uses_hands
from mar_edge.training.synth.idle import extra_motion, posture
from mar_edge.training.synth.idle import idle as idling
from mar_edge.training.synth.perform import ALWAYS, MANNERS, ROWS, Performances, drive_trunk, joined
from mar_edge.training.synth.schedule import UNNAMED_ROWS, rows_of
from mar_edge.training.synth.tracks import Slot, act, put
from mar_edge.training.synth.world import HELD_OUT, World

_STREAM = 52_000  # above any chunk number: recordings share no random numbers with clips of the same seed
_START_S: Range = (1.0, 3.0)
_PAUSE_S: Range = (1.0, 6.0)
# Duration of the way to the start of an action: quick if the way is an event or belongs to the action, else slow.
_QUICK_S: Range = (0.5, 1.1)
_SLOW_S: Range = (1.5, 3.0)
_WAIT_S: Range = (0.6, 2.0)  # at the start position
_BEFORE_END_S = 0.5
_IDLE_PAUSE_S: Range = (2.0, 8.0)
_UNNAMED = 0.5  # probability, in a pause that is long enough
_AROUND_UNNAMED_S = 1.0
_LONGEST_S = 8.0  # the clip length that actions are drawn for
_EXTRA_EVERY_S = 4.0
_STAY_S = 1.0  # after this stay the way back is a movement of its own, if ``Action.back`` names it
_RETURNS = 0.15  # manners that return less often do not return in recordings

_ONLY_SEATED = np.array([action.only_seated for action in ACTIONS])
_LEAVES = np.array([m.leaves for m in MANNERS])
_PREPARED = np.array([m.prepared for m in MANNERS])
_LAG_S = np.array([max((limb.lag_s[1] for limb in m.limbs), default=0.0) for m in MANNERS])
_COMES_BACK = np.array([isinstance(m.course, Step) and m.course.returns >= _RETURNS for m in MANNERS])


@dataclass(frozen=True)
class Recording:
    """One person in front of one camera.

    t: (T,) s from 0. joints: (T, 44, 2) px in ``ma52`` order, NaN where the pose model found none. scores: (T, 44).
    size: width and height of the image, px. events: the true events, by start time.
    """

    t: NDArray[np.float64]
    joints: Floats
    scores: Floats
    size: tuple[int, int]
    events: tuple[TrueEvent, ...]


def record(
    seed: int | tuple[int, ...],
    *,
    duration_s: float = 60.0,
    fps: float = 30.0,
    world: World = HELD_OUT,
    idle: bool = False,
    labels: Sequence[Label] = CLASSES,
    concurrent: bool = False,
) -> Recording:
    """Make a recording, deterministic in the arguments.

    Args:
        idle: no named actions, but all other motion of people.
        labels: actions to show, all equally often; the background among them is ignored.
        concurrent: several actions at once, with frequencies and durations of interviews
            (``training.synth.tracks``). Events may overlap, and may continue beyond both ends of the recording.
    """
    draws = _draws(seed)
    times = np.arange(max(round(duration_s * fps), 2)) / fps
    t = times[None].astype(np.float32)
    planned = _plan(draws, t, duration_s, world, idle=idle, labels=labels, concurrent=concurrent)
    desk, standing, doing = planned.desk, planned.standing, planned.doing

    motion = posture(draws, 1, len(times), world.posture) + _everything_else(draws, t)
    drive_trunk(draws, doing, t, motion)
    named = doing.take(np.flatnonzero(doing.row < len(ACTIONS)))
    hands = uses_hands(named, 1)
    _, views = draw_figures(
        draws, doing, motion, t, desk=desk, standing=standing, acting=hands, world=world, framing=planned.framing
    )
    shown = Shown(desk, np.any(shows_legs(named.row), keepdims=True), hands)
    joints, scores = skeletons(keypoints(draws, views, t, shown=shown, world=world), views.size)
    width, height = views.size[0]
    return Recording(times, joints[0], scores[0], (int(width), int(height)), planned.events)


@dataclass(frozen=True)
class Plan:
    """A recording before rendering: desk, standing and framing (1,), performances, and their events."""

    desk: Bools
    standing: Bools
    framing: Ints
    doing: Performances
    events: tuple[TrueEvent, ...]


def plan(
    seed: int | tuple[int, ...],
    *,
    duration_s: float = 60.0,
    world: World = HELD_OUT,
    labels: Sequence[Label] = CLASSES,
) -> Plan:
    """Plan a recording with several actions at once, without rendering: a hundredth of the cost of ``record``."""
    t = np.zeros((1, 1), np.float32)
    return _plan(_draws(seed), t, duration_s, world, idle=False, labels=labels, concurrent=True)


def _draws(seed: int | tuple[int, ...]) -> Draws:
    return Draws(np.random.default_rng([*np.atleast_1d(seed), _STREAM]))


def _plan(
    draws: Draws, t: Floats, duration_s: float, world: World, *, idle: bool, labels: Sequence[Label], concurrent: bool
) -> Plan:
    """Plan the recording at t (1, T)."""
    rows = rows_of(np.array([label.id for label in labels]))
    rows = rows[rows >= 0]
    desk = draws.chance(world.desk, 1) & ~shows_legs(rows).all()
    only_legs = np.array([len(rows) > 0 and bool(shows_legs(rows).all())])
    framing = draw_framing(draws, desk, only_legs, world)
    standing = draws.chance(world.standing_to_hips, 1) & (framing == Framing.HIPS) & ~desk
    if framing[0] != Framing.FULL:
        rows = rows[~shows_legs(rows)]
    if standing[0]:
        rows = rows[~_ONLY_SEATED[rows]]
    pace = draws.log_uniform(world.pace, 1)
    if idle or not len(rows):
        doing, events = _fidget(draws, duration_s, pace)
    elif concurrent:
        doing, events = act(draws, duration_s, rows, pace)
    else:
        doing, events = _act(draws, t, _order(draws, rows, duration_s), pace)
    return Plan(desk, standing, framing, doing, events)


def _order(draws: Draws, rows: Ints, duration_s: float) -> Ints:
    """Return more actions than fit, in sequence: all of them in a random order, then again."""
    need = int(duration_s / _PAUSE_S[0]) + 1
    rounds = [rows[np.argsort(draws.uniform((0, 1), len(rows)))] for _ in range(-(-need // len(rows)))]
    order: Ints = np.concatenate(rounds)[:need]
    return order


def _act(draws: Draws, t: Floats, order: Ints, pace: Floats) -> tuple[Performances, tuple[TrueEvent, ...]]:
    """Perform the actions of ``order`` in sequence, as many as fit into t (1, T); also return their events."""
    doing = _whole(draws, order, pace)
    length = doing.curves.length + (_LAG_S[doing.manner] * pace).astype(np.float32)
    slots: list[Slot] = []
    pauses: list[tuple[float, float]] = []
    free, earliest = 0.0, _drawn(draws, _START_S)
    for manner, length_s in zip(doing.manner, length, strict=True):
        slot = _slot(draws, free, earliest, manner, float(length_s))
        if slot.gone > t[0, -1] - _BEFORE_END_S:
            break
        slots.append(slot)
        pauses.append((free, slot.start))
        free, earliest = slot.gone, slot.stop + _drawn(draws, _PAUSE_S)
    doing = doing.take(np.arange(len(slots)))
    onset = np.array([slot.onset for slot in slots], np.float32)
    presence = np.array([(s.start, s.ready, s.stop, s.gone) if s.gone > s.stop else ALWAYS for s in slots], np.float32)
    doing = replace(doing, curves=doing.curves.starting(onset), presence=presence.reshape(-1, 4))
    return joined(doing, _in_pauses(draws, pauses, pace)), _events(doing, slots, t)


def _whole(draws: Draws, rows: Ints, pace: Floats) -> Performances:
    """Draw whole performances of ``rows`` by one person, with a way back for manners that have one."""
    doing = Performances.draw(draws, np.zeros(len(rows), np.intp), rows, np.full(1, _LONGEST_S, np.float32), pace)
    return replace(doing, curves=doing.curves.returning(_COMES_BACK[doing.manner]))


def _slot(draws: Draws, free: float, earliest: float, manner: int, length_s: float) -> Slot:
    """Return the next slot; the last one has faded at ``free``, and the action starts at ``earliest`` or later."""
    if not _PREPARED[manner]:
        start = max(free, earliest)
        return Slot(start, start, start, start + length_s, start + length_s)
    if _LEAVES[manner]:
        start = max(free, earliest)
        ready = start + _drawn(draws, _QUICK_S)
        onset = ready + _drawn(draws, _WAIT_S)
    else:
        way_s = _drawn(draws, _SLOW_S)
        start = max(free, earliest - way_s)
        ready = onset = start + way_s
    stop = onset + length_s
    return Slot(start, ready, onset, stop, stop + _drawn(draws, _SLOW_S))


def _events(doing: Performances, slots: Sequence[Slot], t: Floats) -> tuple[TrueEvent, ...]:
    """Return the events that an observer sees."""
    times = np.repeat(t, len(slots), axis=0)
    curve = doing.curves(times)
    there = np.abs(curve - 1) <= SEEN_MOVING
    moving = np.abs(curve) > SEEN_MOVING
    unfinished = np.abs(curve - curve[:, -1:]) > SEEN_MOVING
    events = []
    for i, slot in enumerate(slots):
        action, late = ROWS[doing.row[i]], _LAG_S[doing.manner[i]] * doing.pace[i]
        begin = float(times[i, moving[i].argmax()])
        end = float(times[i, len(t[0]) - 1 - unfinished[i, ::-1].argmax()]) + float(late)
        if _LEAVES[doing.manner[i]]:
            # A smooth step is visible from 0.1 to 0.9 of its duration.
            shown = 0.1 * (slot.ready - slot.start)
            if action.after is None:
                begin = slot.start + shown
            else:
                events.append(TrueEvent(LABEL_OF[action.after], slot.start + shown, slot.ready - shown))
        stay = times[i, there[i]]
        if action.back is not None and curve[i, -1] < 0.5 and len(stay) and stay[-1] - stay[0] > _STAY_S:
            events.append(TrueEvent(LABEL_OF[action.id], begin, float(stay[0]) + float(late)))
            events.append(TrueEvent(LABEL_OF[action.back], float(stay[-1]), end))
        else:
            events.append(TrueEvent(LABEL_OF[action.id], begin, end))
    return tuple(events)


def _in_pauses(draws: Draws, pauses: Sequence[tuple[float, float]], pace: Floats) -> Performances:
    """Draw movements without a name in some of the pauses (from, to) that are long enough."""
    P = len(pauses)
    doing = _whole(draws, _unnamed_rows(draws, P), pace)
    begin, end = np.array(pauses, np.float32).reshape(-1, 2).T
    way = np.float32(_AROUND_UNNAMED_S)
    spare = end - begin - doing.curves.length - 2 * way
    fits = np.flatnonzero((spare > 0) & draws.chance(_UNNAMED, P))
    onset = begin + way + draws.uniform((0, 1), P) * np.maximum(spare, 0)
    return put(doing, onset).take(fits)


def _fidget(draws: Draws, duration_s: float, pace: Floats) -> tuple[Performances, tuple[TrueEvent, ...]]:
    """Draw a sequence of movements without a name."""
    P = int(duration_s / _IDLE_PAUSE_S[0]) + 1
    doing = _whole(draws, _unnamed_rows(draws, P), pace)
    pause = draws.uniform(_IDLE_PAUSE_S, P)
    onset = np.cumsum(pause + doing.curves.length) - doing.curves.length
    return put(doing, onset.astype(np.float32)).take(np.flatnonzero(onset < duration_s)), ()


def _unnamed_rows(draws: Draws, P: int) -> Ints:
    return UNNAMED_ROWS[draws.choice([ROWS[i].weight for i in UNNAMED_ROWS], P)]


def _everything_else(draws: Draws, t: Floats) -> Floats:
    """Return sway, breathing, talking and occasional small movements, (len(Channel), 1, T)."""
    motion = idling(draws, t)
    most = np.full(1, BACKGROUND_EXTRA_DEG, np.float32)
    span = np.full(1, _EXTRA_EVERY_S, np.float32)
    for start in np.arange(0, t[0, -1], _EXTRA_EVERY_S, dtype=np.float32):
        motion += extra_motion(draws, t - start, span, most, most)
    return motion


def _drawn(draws: Draws, bounds: Range) -> float:
    return float(draws.uniform(bounds, 1)[0])
