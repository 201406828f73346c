"""Windows as a service sees them: cut out of recordings at any moment, named after what they show of it.

What clips do not hold: ways to where an action starts and slow ones back, two events in one window, halves of a
movement with the rest of somebody's minute around them. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.labels import Label, background_label
from mar_edge.edge.layout import load_layout
from mar_edge.edge.preprocess import WINDOW_FRAMES, resample
from mar_edge.edge.visibility import sayable, visible_regions
from mar_edge.training.synth.draws import Draws, Floats
from mar_edge.training.synth.events import TrueEvent
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.recording import Recording, plan, record
from mar_edge.training.synth.world import TRAINING, World

WINDOW_S = 2.0
PER_RECORDING = 8  # windows; a recording is a person, a camera and a room
_LABELLED = 0.7  # of the windows of a recording in which something happens
_IDLE = 0.15  # of the recordings
LIVE_LABELLED = _LABELLED * (1 - _IDLE)
_RECORDING_S = 20.0
_MOMENT_S = 0.1
_STREAM = 53_000  # beside any chunk number: shares no random numbers with clips of the same seed
_CONCURRENT_STREAM = 55_000
_OF_AN_EVENT = 0.5  # of the windows of a recording with several things at once; the others are of any moment
_CONCURRENT_IDLE = 0.06  # of the recordings; others are quiet now and then
# Of an event (or of the window, where that is shorter): from where on a window may be called after it, and is always.
_SHOWN = (0.15, 0.65)
_HALF = 0.5


def live_windows(
    seed: int, chunk: int, count: int, *, classes: Sequence[Label] = CLASSES, world: World = TRAINING
) -> tuple[Floats, NDArray[np.int64]]:
    """The windows of one chunk, in random order: the same for the same arguments.

    A window that shows a part of an event is called after it by chance, the likelier the more it shows, and
    background otherwise: a network that learns from such names gives that part as its probability.

    Args:
        classes: in label order; the background is among them.

    Returns:
        joints (count, 64, 44, 2) float32 px in ``ma52`` order, none missing, evenly spaced over two seconds;
        labels (count,) int64, index into ``classes``.
    """
    draws = Draws(np.random.default_rng([seed, chunk, _STREAM]))
    recordings = -(-count // PER_RECORDING)
    idle = draws.chance(_IDLE, recordings)
    fps = draws.log_uniform(world.camera_fps, recordings)
    index = {label.id: i for i, label in enumerate(classes)}
    background = index[background_label().id]
    layout = load_layout("ma52")
    joints = np.empty((recordings * PER_RECORDING, WINDOW_FRAMES, layout.num_joints, 2), np.float32)
    labels = np.empty(len(joints), np.int64)
    for r in range(recordings):
        taken = record(
            (seed, chunk, r),
            duration_s=_RECORDING_S,
            fps=float(fps[r]),
            world=world,
            idle=bool(idle[r]),
            labels=classes,
        )
        ends = np.arange(WINDOW_S, taken.t[-1], _MOMENT_S)
        picked, shown = _pick(draws, ends, taken.events)
        for row, (end, event) in enumerate(zip(ends[picked], shown, strict=True), r * PER_RECORDING):
            joints[row] = resample(*_window(taken, end), layout)
            labels[row] = background if event < 0 else index[taken.events[event].label.id]
    order = np.argsort(draws.uniform((0, 1), len(joints)))[:count]
    return joints[order], labels[order]


@dataclass(frozen=True)
class Windows:
    """N windows that may show several things at once.

    joints: (N, 64, 44, 2) float32 px in ``ma52`` order, none missing, evenly spaced over two seconds.
    targets: (N, K) float32, how much of each class's event is shown, from 0 to 1; 0 for the background, and for what
    cannot be told without joints that are not in the picture.
    labels: (N,) int64, the class that is shown most; background where none is by half.
    """

    joints: Floats
    targets: Floats
    labels: NDArray[np.int64]


def concurrent_windows(
    seed: int, chunk: int, count: int, *, classes: Sequence[Label] = CLASSES, world: World = TRAINING
) -> Windows:
    """Windows of one chunk, cut from recordings in which several things go on at once; the same for the same arguments.

    Half of them are of any moment, so that all is seen as often as it is to be seen; half are of an event, each as
    likely as any other, so that what is short is not seen less.

    Args:
        classes: in label order; the background is among them.
    """
    draws = Draws(np.random.default_rng([seed, chunk, _CONCURRENT_STREAM]))
    recordings = -(-count // PER_RECORDING)
    idle = draws.chance(_CONCURRENT_IDLE, recordings)
    fps = draws.log_uniform(world.camera_fps, recordings)
    layout = load_layout("ma52")
    joints = np.empty((recordings * PER_RECORDING, WINDOW_FRAMES, layout.num_joints, 2), np.float32)
    targets = np.empty((len(joints), len(classes)), np.float32)
    for r in range(recordings):
        taken = record(
            (seed, chunk, r),
            duration_s=_RECORDING_S,
            fps=float(fps[r]),
            world=world,
            idle=bool(idle[r]),
            labels=classes,
            concurrent=True,
        )
        ends, rows = pick_moments(draws, taken.t[-1], taken.events, classes)
        for row, (end, shown) in enumerate(zip(ends, rows, strict=True), r * PER_RECORDING):
            clip, times = _window(taken, end)
            joints[row] = resample(clip, times, layout)
            # What the picture does not show is not said, neither here nor when it is served.
            targets[row] = shown * sayable(classes, visible_regions(Window(clip, times), layout))
    order = np.argsort(draws.uniform((0, 1), len(joints)))[:count]
    return Windows(joints[order], targets[order], most_shown(targets[order], _background_of(classes)))


def _window(taken: Recording, end: float) -> tuple[Floats, NDArray[np.float64]]:
    """Return the joints (T, V, 2) px and times (T,) s of the frames in the two seconds up to ``end``, s."""
    inside = (taken.t > end - WINDOW_S - 1e-6) & (taken.t < end + 1e-6)
    return taken.joints[inside], taken.t[inside]


def pick_moments(
    draws: Draws, last_s: float, events: Sequence[TrueEvent], classes: Sequence[Label]
) -> tuple[NDArray[np.float64], Floats]:
    """When the windows of a recording end (PER_RECORDING,) s, and their targets (PER_RECORDING, K)."""
    ends = np.arange(WINDOW_S, last_s, _MOMENT_S)
    likely = _likeliness(ends, events)  # (events, windows)
    picked = []
    for of_an_event in draws.chance(_OF_AN_EVENT, PER_RECORDING):
        weights = np.ones(len(ends))
        if of_an_event and len(events):
            weights = likely[int(draws.choice([1.0] * len(events)))]
        picked.append(int(draws.choice((weights if weights.sum() > 0 else np.ones(len(ends))).tolist())))
    index = {label.id: i for i, label in enumerate(classes)}
    targets = np.zeros((len(picked), len(classes)), np.float32)
    for event, shown in zip(events, likely[:, picked], strict=True):
        place = index[event.label.id]
        targets[:, place] = np.maximum(targets[:, place], shown)
    return ends[picked], targets


def expected_targets(recordings: int, world: World = TRAINING) -> NDArray[np.float64]:
    """(K,) the mean targets of ``concurrent_windows``, from what is done in so many recordings; nothing is rendered.

    The background's is the share of windows that show nothing by half.
    """
    background = _background_of(CLASSES)
    total, nothing = np.zeros(len(CLASSES)), 0
    for seed in range(recordings):
        draws = Draws(np.random.default_rng([seed, _CONCURRENT_STREAM]))
        idle = bool(draws.chance(_CONCURRENT_IDLE, 1)[0])
        events = () if idle else plan((seed,), duration_s=_RECORDING_S, world=world).events
        targets = pick_moments(draws, _RECORDING_S, events, CLASSES)[1]
        total += targets.sum(axis=0)
        nothing += int((targets.max(axis=1) < _HALF).sum())
    total[background] = nothing
    return total / (recordings * PER_RECORDING)


def seen_for_s(lasts_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """For how many seconds a window ends that shows an event of ``lasts_s``, weighted by its target.

    It slides on and off the event within the shorter of the two; the target rises from a part of that on.
    """
    low, high = _SHOWN
    short, long = np.minimum(lasts_s, WINDOW_S), np.maximum(lasts_s, WINDOW_S)
    seen: NDArray[np.float64] = long - short + 2 * (1 - (low + high) / 2) * short
    return seen


def most_shown(targets: Floats, background: int | None) -> NDArray[np.int64]:
    """(N,) the class of the largest target of each row (N, K); ``background``, if any, where none is above a half."""
    labels: NDArray[np.int64] = targets.argmax(axis=1).astype(np.int64)
    if background is not None:
        labels[targets.max(axis=1, initial=0.0) < _HALF] = background
    return labels


def _background_of(classes: Sequence[Label]) -> int:
    return next(i for i, label in enumerate(classes) if label.id == background_label().id)


def _pick(draws: Draws, ends: NDArray[np.float64], events: Sequence[TrueEvent]) -> tuple[NDArray[np.intp], list[int]]:
    """Which of the windows that end at ``ends`` to take, and which event each is called after; -1 for none.

    Every event is taken as often as any other, however long it is.
    """
    likely = _likeliness(ends, events)  # (events, windows)
    called = likely.argmax(axis=0) if len(events) else np.zeros(len(ends), np.intp)
    most = likely.max(axis=0, initial=0.0)
    picked, shown = [], []
    for labelled in draws.chance(_LABELLED, PER_RECORDING):
        event = int(draws.choice([1.0] * len(events))) if len(events) and labelled else -1
        weights = np.where(called == event, most, 0.0) if event >= 0 else 1.0 - most
        if weights.sum() <= 0:  # the event lies before the first window or is hidden by others
            event, weights = -1, 1.0 - most + 1e-9
        picked.append(int(draws.choice(weights.tolist())))
        shown.append(event)
    return np.array(picked, np.intp), shown


def _likeliness(ends: NDArray[np.float64], events: Sequence[TrueEvent]) -> NDArray[np.float64]:
    """(events, windows) how surely each window is called after each event."""
    start = np.array([event.t_start for event in events]).reshape(-1, 1)
    end = np.array([event.t_end for event in events]).reshape(-1, 1)
    overlap = np.minimum(ends, end) - np.maximum(ends - WINDOW_S, start)
    likely: NDArray[np.float64] = shown_part(overlap / np.clip(end - start, 1e-3, WINDOW_S))
    return likely


def shown_part(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """How surely a window is called after an event, or its target: of the ``share`` of the event that it holds.

    Of an event that is longer than the window, the share of the window.
    """
    low, high = _SHOWN
    part: NDArray[np.float64] = np.clip((share - low) / (high - low), 0.0, 1.0)
    return part
