"""What each example is worth: whether the person is seen, whether anything moves, and whether it is new. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mar_edge.edge.data import Window
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import Layout
from mar_edge.edge.visibility import detectable, needs, visible_regions
from mar_edge.streaming.recognition.motion import region_joints
from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD, body_size, coherent_motion
from mar_edge.teaching.examples import Example
from mar_edge.teaching.heads import Floats

_ALIKE = 0.2
"""Distance of two examples below which one repeats the other, per feature, in standard deviations over other people.

A copy that was moved by 0.3 px of jitter or by 0.25 s is at 0.02 to 0.2. Of 6,300 pairs of repetitions by synthetic
people (``benchmarks/teaching.py``), 0.6 % are nearer than that, and half are farther than 0.53.
"""


@dataclass(frozen=True)
class Verdict:
    """What one example is worth. problem: what is wrong with it; "" for a good one, which was used.

    logit: from a head without it, above 0 if that head finds it; None if it was not used.
    """

    name: str
    problem: str
    logit: float | None = None

    @property
    def found(self) -> bool:
        """Whether a head without this example finds it."""
        return self.logit is not None and self.logit > 0

    @property
    def word(self) -> str:
        """The verdict in a word or two."""
        return "not used" if self.problem else "good" if self.found else "unlike the others"


def problem_of(example: Example, views: Sequence[Window], label: Label, layout: Layout) -> str:
    """Return what is wrong with an example by itself; "" for nothing.

    Args:
        views: windows that show it (``teaching.views``).
    """
    if not views:
        return "the person is not seen for long enough around it"
    visible = visible_regions(views[0], layout)
    if not detectable((label,), visible)[0]:
        missing = [region for region in needs(label) if region not in visible]
        return f"the picture does not show the {' and the '.join(missing)}"
    first, after = np.searchsorted(example.track.times_s, [example.span[0], np.nextafter(example.span[1], np.inf)])
    clip = example.track.clip[first:after]
    if coherent_motion(clip[:, region_joints(label.body, layout)]) <= DEFAULT_THRESHOLD * body_size(clip):
        return "nothing moves"
    return ""


def repeated(examples: Sequence[Floats], spread: Floats) -> list[int | None]:
    """Return, for each example, the number of an earlier one that it repeats; None where it is new.

    A copy teaches nothing, and a head without it is no test of it.

    Args:
        examples: features (n, D) of the views of each.
        spread: (D,) standard deviations over windows of other people.
    """
    repeats: list[int | None] = []
    for number, views in enumerate(examples):
        others = (other for other in range(number) if repeats[other] is None)
        repeats.append(next((one for one in others if _distance(views, examples[one], spread) < _ALIKE), None))
    return repeats


def _distance(one: Floats, other: Floats, spread: Floats) -> float:
    """Return the mean distance of each view to the nearest one of the other example."""
    apart = (one[:, None] - other[None]) / spread  # (n, m, D)
    distances = np.sqrt((apart**2).mean(axis=-1))
    return float((distances.min(axis=1).mean() + distances.min(axis=0).mean()) / 2)
