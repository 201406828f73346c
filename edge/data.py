"""Data that passes between the stages, from a pose to a prediction. Frozen; validated where it enters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Skeleton:
    """One person in one frame.

    joints: (V, 2) float32, pixels of the source image, x right, y down; NaN where not seen.
    scores: (V,) float32 in [0, 1]; 0 where not seen.
    person: id of the person in the stream.
    """

    joints: NDArray[np.float32]
    scores: NDArray[np.float32]
    person: int = 0

    def rounded(self) -> Skeleton:
        """Return it with joints to a hundredth of a pixel, as messages hold them.

        A stream rounds what its pose stage finds, once: a recording is then what the pipeline saw, to the bit.
        """
        joints = self.joints.astype(np.float64).round(2).astype(np.float32)
        return Skeleton(joints, self.scores, self.person)


@dataclass(frozen=True)
class Window:
    """The last seconds of one person.

    clip: (T, V, 2) float32 pixels, NaN where a joint was not seen; T >= 1.
    times_s: (T,) float64 seconds on any one clock, strictly increasing.
    pictures: uint8 pictures of the same seconds, oldest first, as the family keeps them (``PictureNeeds``). Empty
        where nobody asked for them.
    """

    clip: NDArray[np.float32]
    times_s: NDArray[np.float64]
    person: int = 0
    pictures: tuple[NDArray[np.uint8], ...] = ()

    @property
    def span_s(self) -> float:
        """Seconds from the first frame to the last."""
        return float(self.times_s[-1] - self.times_s[0])

    def newest(self, span_s: float) -> Window:
        """Return its newest ``span_s`` seconds, from the frame nearest to their start on, or all of a shorter one.

        Pictures stay as they are.
        """
        first = int(np.argmin(np.abs(self.times_s - (self.times_s[-1] - span_s))))
        return self if first == 0 else replace(self, clip=self.clip[first:], times_s=self.times_s[first:])


@dataclass(frozen=True)
class Prediction:
    """The scores of one window: probs (K,) float32 in label order, each label by itself (``edge.scores``)."""

    probs: NDArray[np.float32]
    person: int = 0


@dataclass(frozen=True)
class Answer:
    """What a model of pictures said of a person's last seconds.

    scores: label name -> score in [0, 1] (``edge.scores``), to six decimals, as messages hold them.
    start_s, end_s: the oldest and the newest of its pictures, on the capture clock.
    infer_s: seconds that the inference took.
    """

    person: int
    scores: Mapping[str, float]
    start_s: float
    end_s: float
    infer_s: float
