"""The pose stage that needs no download: body, hands and face of each person, followed from frame to frame.

The networks are MediaPipe's. The steps between them follow its graphs and give the same keypoints (figures in
docs/pose.md), with three differences. A face that is followed is not detected again. An absent hand or face is searched
for only in every third frame. Filters use the actual time between frames.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.choices import RuntimeName, Smoothing
from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout, load_layout
from mar_edge.edge.pose.base import check_image
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.holistic import body as bodies
from mar_edge.edge.pose.holistic.body import Body, Steady
from mar_edge.edge.pose.holistic.networks import Networks
from mar_edge.edge.pose.holistic.parts import LEFT, RIGHT, Part, Side, Wanted, find_faces, find_hands
from mar_edge.edge.pose.holistic.people import Person, Search, Seen, is_same_head
from mar_edge.edge.pose.holistic.regions import Region
from mar_edge.edge.pose.holistic.search import search_regions
from mar_edge.edge.pose.mapping import FACE_MESH_POINTS, mediapipe_to_ma52
from mar_edge.edge.pose.smoothing import PeopleFilters
from mar_edge.edge.pose.tracking import PeopleTracker, distinct, pose_of

Stage = Literal["detect", "body", "hands", "face", "map"]
STAGES: tuple[Stage, ...] = get_args(Stage)

# Measured with parts of two clips painted over, against the joints of the whole picture (frames of 1296 px). The median
# error is 75 to 210 px below a visibility of 0.5, 37 px from 0.5 on, 24 px from 0.7 on, and 7 px from 0.9 on.
MIN_SCORE = 0.5
DETECT_EVERY = 5
_HAND = tuple(range(21))


class HolisticPose:
    """Finds people in a layout, one by default (see ``edge.pose.base.PoseEstimator``).

    Scores of body joints are visibilities; those of a found hand or face are 1. A joint below ``min_score`` keeps its
    score and has NaN coordinates. One outside the picture is missing (NaN, score 0).

    ``stage_s``: seconds for each stage of the last frame; ``detect`` is near 0 in frames without detection.

    A single person is reported at once, with the id 0. Where more may be followed, each has an id and is reported from
    the third frame on.

    Args:
        layout: ``ma52`` or a subset of its joints.
        focus: which people to follow, and how many at most.
        min_score: joints below it count as not seen; below it, no hand is searched for at a wrist.
        smooth: ``as-mediapipe`` filters the body's keypoints as MediaPipe does, ``one-euro`` every joint.
        networks: closed with the stage; None opens the package's.
        runtime, threads: of the package's networks, and threads of one inference on a CPU; 0 uses every core.

    Raises:
        MarEdgeError: a network cannot be loaded, or the layout has joints that ``ma52`` lacks.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        focus: Focus | None = None,
        min_score: float = MIN_SCORE,
        smooth: Smoothing = "as-mediapipe",
        networks: Networks | None = None,
        runtime: RuntimeName = "auto",
        threads: int = 0,
    ) -> None:
        if not 0 <= min_score <= 1:
            raise MarEdgeError(f"the pose's min_score must be from 0 to 1, not {min_score}")
        self.layout = layout
        self._joints = _subset(layout)
        self._focus = focus or Focus(people=1)
        self._min_score = min_score
        self._smooth = smooth
        self.stage_s: dict[Stage, float] = {}
        self.forget()
        with ExitStack() as stack:
            self._networks = stack.enter_context(networks or Networks(runtime, body_threads=threads))
            self._pool = stack.enter_context(ThreadPoolExecutor(1, "hand"))
            self._stack = stack.pop_all()
        self.name = self._networks.name

    def __enter__(self) -> HolisticPose:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def forget(self) -> None:
        """Start over with the next frame, as after opening."""
        self._people: list[Person] = []
        self._first = self._steady()
        self._filters = PeopleFilters() if self._smooth == "one-euro" else None
        self._tracker = PeopleTracker(self._min_score) if self._focus.people > 1 else None
        self._until_detection = 0
        self._shape: tuple[int, ...] = ()
        self._searches: Iterator[Region] = iter(())

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        """See ``PoseEstimator.estimate``."""
        check_image(image)
        if image.shape != self._shape:  # positions of another size of picture do not apply
            self.forget()
            self._shape = image.shape
            H, W, _ = image.shape
            self._searches = search_regions(W, H, self._networks["pose_detection"].size)
        self.stage_s = {}
        with self._stage("detect"):
            self._find_new(image)
        with self._stage("body"):
            seen = self._follow(image, t_s)
        if not seen:
            return []
        with self._stage("hands"):
            self._find_hands(image, seen)
        with self._stage("face"):
            self._find_faces(image, seen)
        with self._stage("map"):
            return self._skeletons(seen, image, t_s)

    def _skeletons(self, seen: Sequence[Seen], image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        joints, scores = self._mapped(seen)
        ids = [(0, 0)]
        if self._tracker is not None:
            ids = self._ids(self._tracker, seen, np.dstack([joints, scores]), t_s)
        H, W, _ = image.shape
        # Only now, so that the neck is still derived where a shoulder is just outside the picture.
        outside = ~((joints >= 0) & (joints < (W, H))).all(axis=-1)
        scores[outside] = 0
        joints[outside | (scores < self._min_score)] = np.nan
        if self._filters is not None and ids:
            rows = [i for i, _ in ids]
            sizes_px = [seen[i].body.size_px for i in rows]
            joints[rows] = self._filters.smooth([person for _, person in ids], joints[rows], t_s, sizes_px)
        return [Skeleton(joints[i, self._joints], scores[i, self._joints], person) for i, person in ids]

    def _find_new(self, image: NDArray[np.uint8]) -> None:
        """Add people who are not followed yet and that the focus selects."""
        self._until_detection -= 1
        if self._people and (self._until_detection > 0 or len(self._people) >= self._focus.people):
            return
        self._until_detection = DETECT_EVERY
        H, W, _ = image.shape
        found = bodies.find_people(self._networks, image, next(self._searches))
        new = [one for one in found if not any(is_same_head(one.head, person.head) for person in self._people)]
        # ``choose`` returns boxes unchanged, so each identifies its person.
        followed = {person.head.tobytes(): person for person in self._people}
        others = {one.head.tobytes(): Person(one.region, one.head, self._new_steady()) for one in new}
        chosen = self._focus.choose(_boxes(followed), _boxes(others), (W, H))
        self._people = [(followed | others)[box.tobytes()] for box in chosen]

    def _steady(self) -> Steady:
        return Steady(self._smooth == "as-mediapipe")

    def _new_steady(self) -> Steady:
        # A single person keeps their visibilities after being lost.
        return self._first if self._tracker is None else self._steady()

    def _follow(self, image: NDArray[np.uint8], t_s: float) -> list[Seen]:
        """Return the people who are still where they are expected, and drop the others."""
        if not self._people:
            return []
        seen = []
        found = bodies.look(self._networks, image, [person.region for person in self._people])
        for person, body in zip(self._people, found, strict=True):
            if body is None:
                person.steady.lose()
                continue
            steadied = person.steady.take(body, t_s)
            person.region, person.head = steadied.region, steadied.head
            if person.region.is_usable:
                seen.append(Seen(person, steadied))
        self._people = [one.person for one in seen]
        return seen

    def _find_hands(self, image: NDArray[np.uint8], seen: Sequence[Seen]) -> None:
        """Find the hands of both sides in parallel: they are half of the stage's work."""
        right = self._pool.submit(self._find_side, image, [(one.person.right, one.body) for one in seen], RIGHT)
        self._find_side(image, [(one.person.left, one.body) for one in seen], LEFT)
        right.result()

    def _find_side(self, image: NDArray[np.uint8], searches: Sequence[tuple[Search, Body]], side: Side) -> None:
        due = []
        for search, body in searches:
            if body.visibility[side.wrist] <= self._min_score:
                search.drop()
            elif search.is_due():
                due.append((search, body))
        hands = find_hands(self._networks, image, [Wanted(body, hand.previous) for hand, body in due], side)
        for (search, _), hand in zip(due, hands, strict=True):
            search.take(hand)

    def _find_faces(self, image: NDArray[np.uint8], seen: Sequence[Seen]) -> None:
        due = [(one.person.face, one.body) for one in seen if one.person.face.is_due()]
        faces = find_faces(self._networks, image, [Wanted(body, face.previous) for face, body in due])
        for (search, _), face in zip(due, faces, strict=True):
            search.take(face)

    def _mapped(self, seen: Sequence[Seen]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return joints (P, 44, 2) px and scores (P, 44) in ``ma52`` order."""
        return mediapipe_to_ma52(
            np.stack([np.column_stack([one.body.points, one.body.visibility]) for one in seen]),
            np.stack([_scored(one.person.left.part, _HAND) for one in seen]),
            np.stack([_scored(one.person.right.part, _HAND) for one in seen]),
            np.stack([_scored(one.person.face.part, FACE_MESH_POINTS) for one in seen]),
        )

    def _ids(
        self, tracker: PeopleTracker, seen: Sequence[Seen], keypoints: NDArray[np.float32], t_s: float
    ) -> list[tuple[int, int]]:
        """Return index and id of each person seen, with keypoints (P, 44, 3); each person once."""
        every = [
            pose_of(points, one.person.head, self._min_score)
            for points, one in zip(np.nan_to_num(keypoints), seen, strict=True)
        ]
        index = {id(pose): i for i, pose in enumerate(every)}
        poses = distinct([pose for pose in every if pose is not None], self._min_score)
        kept = [index[id(pose)] for pose in poses]
        self._people = [seen[i].person for i in kept]  # a person followed twice is followed once
        ids = tracker.update(t_s, poses)
        return [(i, person) for i, person in zip(kept, ids, strict=True) if person is not None]

    @contextmanager
    def _stage(self, name: Stage) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self.stage_s[name] = time.perf_counter() - start_s


def _subset(layout: Layout) -> NDArray[np.intp]:
    ma52 = load_layout("ma52").joints
    missing = [name for name in layout.joints if name not in ma52]
    if missing:
        raise MarEdgeError(f"the holistic pose stage has no {', '.join(missing)} for the layout {layout.name}")
    return np.array([ma52.index(name) for name in layout.joints], np.intp)


def _scored(part: Part, points: tuple[int, ...]) -> NDArray[np.float32]:
    """Return chosen keypoints of a part as (N, 3) x px, y px, 1; NaN where it was not found."""
    if not part.is_there:
        return np.full((len(points), 3), np.nan, np.float32)
    return np.column_stack([part.points[list(points)], np.ones(len(points), np.float32)])


def _boxes(keys: Iterable[bytes]) -> NDArray[np.float32]:
    return np.array([np.frombuffer(key, np.float32) for key in keys], np.float32).reshape(-1, 4)
