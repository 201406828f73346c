"""Which people to follow, where the picture has more than should or can be followed. Works on boxes only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.pose.keypoints import area, iou

DEFAULT_PEOPLE = 4
# The person who is followed stays until another is this much larger. Otherwise two of one size would alternate.
_CLEARLY_LARGER = 1.5
_SAME_PERSON_IOU = 0.3
_DRIFTED_IOU = 0.5


@dataclass(frozen=True)
class Focus:
    """A choice of people.

    people: the largest number to follow. largest: follow only the largest person.
    region: follow only people whose box has its middle in (x0, y0, x1, y1), as fractions of the picture's size.
    """

    people: int = DEFAULT_PEOPLE
    largest: bool = False
    region: tuple[float, float, float, float] | None = None

    @classmethod
    def parse(cls, text: str, people: int) -> Focus:
        """Parse ``all``, ``largest`` or a region such as ``0,0,0.5,1``.

        Raises:
            MarEdgeError: it is none of these, or ``people`` is less than one.
        """
        if people < 1:
            raise MarEdgeError(f"--people must be at least 1, not {people}")
        if text in ("all", "largest"):
            return cls(people, largest=text == "largest")
        try:
            x0, y0, x1, y1 = map(float, text.split(","))
        except ValueError:
            x0 = y0 = x1 = y1 = 0.0
        if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise MarEdgeError(
                f"--focus is 'all', 'largest' or a region x0,y0,x1,y1 in fractions of the picture, such as 0,0,0.5,1; "
                f"not '{text}'{did_you_mean(text, ['all', 'largest'])}"
            )
        return cls(people, region=(x0, y0, x1, y1))

    def choose(
        self, followed: NDArray[np.float32], found: NDArray[np.float32], size: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Choose the boxes (P, 4) xyxy px to look at, one per person.

        Args:
            followed: (A, 4) expected boxes of the people who are followed, the most important first. They are kept,
                because a box that jumps makes joints jump, unless a found box shows that they drifted.
            found: (B, 4) the detector's boxes, if it ran.
            size: width and height of the picture, px.
        """
        boxes = followed.copy()
        fresh = []
        if len(found) and len(followed):
            overlap = iou(followed, found)
            for index in range(len(found)):
                best = int(overlap[:, index].argmax())
                if overlap[best, index] < _SAME_PERSON_IOU:
                    fresh.append(index)
                elif overlap[best].argmax() == index and overlap[best, index] < _DRIFTED_IOU:
                    boxes[best] = found[index]
        else:
            fresh = list(range(len(found)))
        new = found[fresh]
        boxes = np.concatenate([boxes, new[np.argsort(-area(new), kind="stable")]])
        boxes = boxes[self._inside(boxes, size)]
        if self.largest and len(boxes):
            areas = area(boxes)
            other = int(areas.argmax())
            return boxes[[other if areas[other] > _CLEARLY_LARGER * areas[0] else 0]]
        return boxes[: self.people]

    def _inside(self, boxes: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.bool_]:
        if self.region is None:
            return np.ones(len(boxes), bool)
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2 / np.array(size, np.float32)
        inside: NDArray[np.bool_] = np.all((middle >= self.region[:2]) & (middle < self.region[2:]), axis=1)
        return inside
