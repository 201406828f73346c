"""The state of each person from frame to frame: region, hands and face, and when to search for these."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.pose.holistic.body import Body, Steady
from mar_edge.edge.pose.holistic.parts import NOTHING, Part
from mar_edge.edge.pose.holistic.regions import Region

# Frames between two searches for a part that is clearly absent.
_LOOK_EVERY = 3
_CLEARLY_ABSENT = 0.1
_ONE_HEAD = 0.7  # of the larger box's width


@dataclass
class Search:
    """One hand or face of one person over time."""

    part: Part = NOTHING
    _until_look: int = 0

    def is_due(self) -> bool:
        """Return whether to search for it in this frame. Called once a frame."""
        self._until_look -= 1
        return self._until_look < 0

    @property
    def previous(self) -> Part | None:
        """The part in the last frame, if it was found there."""
        return self.part if self.part.is_there else None

    def take(self, part: Part) -> None:
        """Take the result of a search, and schedule the next one."""
        self.part = part
        self._until_look = 0 if part.presence >= _CLEARLY_ABSENT else _LOOK_EVERY - 1

    def drop(self) -> None:
        """Forget the part, which cannot be in sight. The next frame searches again."""
        self.part, self._until_look = NOTHING, 0


@dataclass
class Person:
    """A person who is followed. region: where to look in the next frame. head: (4,) xyxy px."""

    region: Region
    head: NDArray[np.float32]
    steady: Steady
    left: Search = field(default_factory=Search)
    right: Search = field(default_factory=Search)
    face: Search = field(default_factory=Search)


@dataclass(frozen=True)
class Seen:
    """A person in this frame."""

    person: Person
    body: Body


def is_same_head(found: NDArray[np.float32], followed: NDArray[np.float32]) -> bool:
    """Return whether two boxes (4,) are so near each other, for their size, that they are one person's head."""
    apart = float(np.linalg.norm((found[:2] + found[2:] - followed[:2] - followed[2:]) / 2))
    return apart < _ONE_HEAD * max(float(found[2] - found[0]), float(followed[2] - followed[0]))
