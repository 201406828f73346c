"""Windows as a service sees them: cut out of recordings at any moment, named after what they show of it.

What clips do not hold: ways to where an action starts and slow ones back, two events in one window, halves of a
movement with the rest of somebody's minute around them. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.labels import Label, background_label
from edge.layout import load_layout
from edge.preprocess import WINDOW_FRAMES, resample
from training.synth.draws import Draws, Floats
from training.synth.generator import CLASSES
from training.synth.recording import TrueEvent, record
from training.synth.world import TRAINING, World

WINDOW_S = 2.0
PER_RECORDING = 8  # windows; a recording is a person, a camera and a room
_LABELLED = 0.7  # of the windows of a recording in which something happens
_IDLE = 0.15  # of the recordings
LIVE_LABELLED = _LABELLED * (1 - _IDLE)
_RECORDING_S = 20.0
_MOMENT_S = 0.1
_STREAM = 53_000  # beside any chunk number: shares no random numbers with clips of the same seed
# Of an event (or of the window, where that is shorter): from where on a window may be called after it, and is always.
_SHOWN = (0.15, 0.65)


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
            inside = (taken.t > end - WINDOW_S - 1e-6) & (taken.t < end + 1e-6)
            joints[row] = resample(taken.joints[inside], taken.t[inside], layout)
            labels[row] = background if event < 0 else index[taken.events[event].label.id]
    order = np.argsort(draws.uniform((0, 1), len(joints)))[:count]
    return joints[order], labels[order]


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
    share = overlap / np.clip(end - start, 1e-3, WINDOW_S)
    low, high = _SHOWN
    likely: NDArray[np.float64] = np.clip((share - low) / (high - low), 0.0, 1.0)
    return likely
