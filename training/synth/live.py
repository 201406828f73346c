"""Windows as a service sees them: cut from recordings at any moment, labeled by what they show.

They add what clips lack: slow ways to and from an action, two events in one window, and parts of movements.
Independent of networks.
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
from mar_edge.edge.visibility import detectable, visible_regions
from mar_edge.training.synth.draws import Draws, Floats
from mar_edge.training.synth.events import TrueEvent
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.recording import Recording, plan, record
from mar_edge.training.synth.world import TRAINING, World

WINDOW_S = 2.0
PER_RECORDING = 8  # windows per recording; a recording is a person, a camera and a room
_LABELED = 0.7  # share of labeled windows, in recordings with actions
_IDLE = 0.15  # share of recordings without actions
LIVE_LABELED = _LABELED * (1 - _IDLE)
_RECORDING_S = 20.0
_MOMENT_S = 0.1
_STREAM = 53_000  # above any chunk number: shares no random numbers with clips of the same seed
_CONCURRENT_STREAM = 55_000
_OF_AN_EVENT = 0.5  # share of windows that show an event, in concurrent recordings; the others end at any moment
_CONCURRENT_IDLE = 0.06  # share of recordings without actions; others have quiet times
# Visible share of an event (or of the window if shorter): below the first never its label, above the second always.
_SHOWN = (0.15, 0.65)
_HALF = 0.5


def live_windows(
    seed: int, chunk: int, count: int, *, classes: Sequence[Label] = CLASSES, world: World = TRAINING
) -> tuple[Floats, NDArray[np.int64]]:
    """Make the windows of one chunk, in random order, deterministic in the arguments.

    A window that shows part of an event gets its label with a probability that grows with the part, and background
    otherwise. A network that learns from such labels predicts that part as its probability.

    Args:
        classes: in label order, including the background.

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
    """N windows that may show several actions at once.

    joints: (N, 64, 44, 2) float32 px in ``ma52`` order, none missing, evenly spaced over two seconds.
    targets: (N, K) float32, visible part of each class's event, from 0 to 1. 0 for the background and for labels whose
    joints are not in the picture.
    labels: (N,) int64, class of the largest target; background if all are below a half.
    """

    joints: Floats
    targets: Floats
    labels: NDArray[np.int64]


def concurrent_windows(
    seed: int, chunk: int, count: int, *, classes: Sequence[Label] = CLASSES, world: World = TRAINING
) -> Windows:
    """Make the windows of one chunk from recordings with several actions at once, deterministic in the arguments.

    Half of them end at any moment, so that actions have their natural frequency. The other half show an event, all
    events equally likely, so that short events are not rare.

    Args:
        classes: in label order, including the background.
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
            # Labels whose joints are not visible get no score, here as in the service.
            targets[row] = shown * detectable(classes, visible_regions(Window(clip, times), layout))
    order = np.argsort(draws.uniform((0, 1), len(joints)))[:count]
    return Windows(joints[order], targets[order], most_shown(targets[order], _background_of(classes)))


def _window(taken: Recording, end: float) -> tuple[Floats, NDArray[np.float64]]:
    """Return the joints (T, V, 2) px and times (T,) s of the frames in the two seconds up to ``end``, s."""
    inside = (taken.t > end - WINDOW_S - 1e-6) & (taken.t < end + 1e-6)
    return taken.joints[inside], taken.t[inside]


def pick_moments(
    draws: Draws, last_s: float, events: Sequence[TrueEvent], classes: Sequence[Label]
) -> tuple[NDArray[np.float64], Floats]:
    """Return the end times (PER_RECORDING,) s of the windows of a recording, and their targets (PER_RECORDING, K)."""
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
    """Return the mean targets (K,) of ``concurrent_windows``, from plans of that number of recordings, not rendered.

    The value of the background is the share of windows in which all targets are below a half.
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
    """Return for how many seconds windows show an event that ``lasts_s``, weighted by its target.

    A window slides on and off the event within the shorter of the two durations; meanwhile its target rises or falls.
    """
    low, high = _SHOWN
    short, long = np.minimum(lasts_s, WINDOW_S), np.maximum(lasts_s, WINDOW_S)
    seen: NDArray[np.float64] = long - short + 2 * (1 - (low + high) / 2) * short
    return seen


def most_shown(targets: Floats, background: int | None) -> NDArray[np.int64]:
    """Return the class (N,) of the largest of the targets (N, K); ``background``, if any, where all are below 0.5."""
    labels: NDArray[np.int64] = targets.argmax(axis=1).astype(np.int64)
    if background is not None:
        labels[targets.max(axis=1, initial=0.0) < _HALF] = background
    return labels


def _background_of(classes: Sequence[Label]) -> int:
    return next(i for i, label in enumerate(classes) if label.id == background_label().id)


def _pick(draws: Draws, ends: NDArray[np.float64], events: Sequence[TrueEvent]) -> tuple[NDArray[np.intp], list[int]]:
    """Pick windows that end at ``ends``, and the event that labels each; -1 for none.

    All events are equally likely, whatever their duration.
    """
    likely = _likeliness(ends, events)  # (events, windows)
    called = likely.argmax(axis=0) if len(events) else np.zeros(len(ends), np.intp)
    most = likely.max(axis=0, initial=0.0)
    picked, shown = [], []
    for labeled in draws.chance(_LABELED, PER_RECORDING):
        event = int(draws.choice([1.0] * len(events))) if len(events) and labeled else -1
        weights = np.where(called == event, most, 0.0) if event >= 0 else 1.0 - most
        if weights.sum() <= 0:  # the event lies before the first window or is hidden by others
            event, weights = -1, 1.0 - most + 1e-9
        picked.append(int(draws.choice(weights.tolist())))
        shown.append(event)
    return np.array(picked, np.intp), shown


def _likeliness(ends: NDArray[np.float64], events: Sequence[TrueEvent]) -> NDArray[np.float64]:
    """Return the probability (events, windows) that each window gets the label of each event."""
    start = np.array([event.t_start for event in events]).reshape(-1, 1)
    end = np.array([event.t_end for event in events]).reshape(-1, 1)
    overlap = np.minimum(ends, end) - np.maximum(ends - WINDOW_S, start)
    likely: NDArray[np.float64] = shown_part(overlap / np.clip(end - start, 1e-3, WINDOW_S))
    return likely


def shown_part(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the target of a window that holds ``share`` of an event: the probability of getting its label.

    For an event longer than the window, ``share`` is relative to the window.
    """
    low, high = _SHOWN
    part: NDArray[np.float64] = np.clip((share - low) / (high - low), 0.0, 1.0)
    return part
