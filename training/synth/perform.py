"""Do an action: draw its amplitude, manner and moment for many clips and move the channels by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synth.actions import Action, Drive
from training.synth.draws import Draws, Floats
from training.synth.rig import SIDED


@dataclass(frozen=True)
class Performance:
    """What ``perform`` did: amplitude (n,) and visible (n,), the part of the whole motion that is in the clip."""

    amplitude: Floats
    visible: Floats


def perform(action: Action, draws: Draws, t: Floats, duration_s: Floats, motion: Floats) -> tuple[Floats, Performance]:
    """Add an action to channels: one amplitude, side and manner for each clip.

    Args:
        t: (n, T) seconds. duration_s: (n,).
        motion: (len(Channel), n, T) degrees and metres.

    Returns:
        motion with the action, and how large and how visible it is.
    """
    n = len(t)
    motion = motion.copy()
    amplitude = draws.log_uniform(action.amplitude, n)
    visible = np.empty(n, np.float32)
    side = draws.sign(n)
    manner_of = draws.choice([manner.weight for manner in action.manners], n)
    for index, manner in enumerate(action.manners):
        rows = np.flatnonzero(manner_of == index)
        if not len(rows):
            continue
        size, now = amplitude[rows], t[rows]
        curve = manner.course.draw(draws, duration_s[rows])
        for drive in manner.start:
            motion[drive.channel, rows] += _gain(drive, draws, size, side[rows])[:, None]
        for drive in manner.drives:
            lag = draws.uniform(drive.lag_s, len(rows), 1)
            motion[drive.channel, rows] += _gain(drive, draws, size, side[rows])[:, None] * curve(now - lag)
        inside = curve(now)
        visible[rows] = np.minimum((inside.max(axis=1) - inside.min(axis=1)) / curve.full, 1)
    return motion, Performance(amplitude, visible)


def _gain(drive: Drive, draws: Draws, amplitude: Floats, side: Floats) -> Floats:
    gain = draws.uniform(drive.gain, len(amplitude)) * amplitude
    return gain * side if drive.channel in SIDED else gain
