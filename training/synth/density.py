"""Statistics of concurrent actions in synthetic recordings, measured as in interviews, for comparison.

Seated people in full view, as in MMA-52. Nothing is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.draws import Draws
from mar_edge.training.synth.events import LABEL_OF
from mar_edge.training.synth.tracks import act

GROUPS = ("body", "head", "upper limb", "lower limb", "body-hand", "head-hand", "leg-hand")
# Li et al., MMA-52, validation and training annotations. Percent of the time with 0, 1, 2 and 3 labels.
# Share of the events of each group (rows, as GROUPS) that overlap an event of another group (columns).
REAL_AT_ONCE = (15.0, 52.0, 29.0, 4.0)
REAL_OVERLAP = (
    (0.034, 0.323, 0.360, 0.255, 0.027, 0.017, 0.207),
    (0.052, 0.142, 0.505, 0.233, 0.027, 0.036, 0.131),
    (0.077, 0.576, 0.108, 0.239, 0.004, 0.015, 0.039),
    (0.102, 0.492, 0.422, 0.106, 0.043, 0.034, 0.180),
    (0.105, 0.485, 0.079, 0.466, 0.015, 0.023, 0.004),
    (0.034, 0.442, 0.145, 0.189, 0.011, 0.053, 0.021),
    (0.139, 0.524, 0.138, 0.299, 0.001, 0.008, 0.041),
)
_MOMENT_S = 0.1


@dataclass(frozen=True)
class Density:
    """at_once: (8,) percent of the time with 0 to 7 labels. overlap: (7, 7) shares, as ``REAL_OVERLAP``.

    a_minute: (7,) events of each group per minute. lasts_s: durations of the events of each action, by id.
    """

    at_once: NDArray[np.float64]
    overlap: NDArray[np.float64]
    a_minute: NDArray[np.float64]
    lasts_s: dict[int, list[float]]


def measure_density(recordings: int, duration_s: float = 20.0, seed: int = 0) -> Density:
    """Measure that number of recordings of ``duration_s`` s."""
    rows, pace = np.arange(len(ACTIONS)), np.ones(1, np.float32)
    moments = np.arange(0, duration_s, _MOMENT_S)
    at_once, counts, overlap = np.zeros(8), np.zeros(len(GROUPS)), np.zeros((len(GROUPS), len(GROUPS)))
    lasts: dict[int, list[float]] = {action.id: [] for action in ACTIONS}
    for number in range(recordings):
        _, events = act(Draws(np.random.default_rng([seed, number])), duration_s, rows, pace)
        start = np.array([event.t_start for event in events])[:, None]
        end = np.array([event.t_end for event in events])[:, None]
        at_once += np.bincount(((start <= moments) & (moments < end)).sum(axis=0), minlength=8)[:8]
        group = np.array([GROUPS.index(LABEL_OF[event.label.id].body) for event in events], np.intp)
        together = (np.minimum(end, end.T) > np.maximum(start, start.T)) & ~np.eye(len(events), dtype=bool)
        of_group = np.eye(len(GROUPS), dtype=bool)[group]
        np.add.at(overlap, group, (together @ of_group > 0).astype(float))
        counts += of_group.sum(axis=0)
        for event in events:
            if event.t_start > 0 and event.t_end < duration_s:
                lasts[event.label.id].append(event.t_end - event.t_start)
    minutes = recordings * duration_s / 60
    return Density(100 * at_once / at_once.sum(), overlap / np.maximum(counts, 1)[:, None], counts / minutes, lasts)
