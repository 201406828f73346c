"""Whom to look at where more people are in the picture than should be, or can be, followed. Boxes only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.pose.keypoints import area, iou

DEFAULT_PEOPLE = 4
# Who is followed stays the one until somebody is so much larger: two of one size would take turns otherwise.
_CLEARLY_LARGER = 1.5
_SAME_PERSON_IOU = 0.3
_DRIFTED_IOU = 0.5


@dataclass(frozen=True)
class Focus:
    """people: how many at most. largest: only the largest. region: only those whose box's middle lies in (x0, y0, x1,
    y1), in parts of the picture's width and height.
    """

    people: int = DEFAULT_PEOPLE
    largest: bool = False
    region: tuple[float, float, float, float] | None = None

    @classmethod
    def parse(cls, text: str, people: int) -> Focus:
        """``all``, ``largest`` or a region as ``0,0,0.5,1``.

        Raises:
            MarEdgeError: it is none of these, or ``people`` is less than one.
        """
        if people < 1:
            raise MarEdgeError(f"--people is at least 1, not {people}")
        if text in ("all", "largest"):
            return cls(people, largest=text == "largest")
        try:
            x0, y0, x1, y1 = map(float, text.split(","))
        except ValueError:
            x0 = y0 = x1 = y1 = 0.0
        if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise MarEdgeError(
                f"--focus is 'all', 'largest' or a region x0,y0,x1,y1 in parts of the picture, such as 0,0,0.5,1; "
                f"not '{text}'{did_you_mean(text, ['all', 'largest'])}"
            )
        return cls(people, region=(x0, y0, x1, y1))

    def choose(
        self, followed: NDArray[np.float32], found: NDArray[np.float32], size: tuple[int, int]
    ) -> NDArray[np.float32]:
        """The boxes (P, 4) xyxy px to look at, each person's once.

        Args:
            followed: (A, 4) where those followed should be, the most important first; they keep their boxes, since a
                box that jumps makes joints jump, unless what was found shows that they slipped.
            found: (B, 4) what the detector says, if it was asked.
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
