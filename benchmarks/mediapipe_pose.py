"""One person's body, hands and face by MediaPipe's holistic graph, whose weights are in its wheel: offline.

Measured with mediapipe 0.10.21 on two real clips (1080x1296, full body) and on ``demo:``. Figures are CPU time per
frame, since the graph does nearly all its work in series:

* Frames go in at full size. The networks use fixed crops of 192 to 256 pixels, so a smaller frame saves at most 3 ms of
  46. Shrinking it well costs more (5 to 11 ms) and moves joints by 0.6 to 3.4 px. A person at rest moves by 0.1 px per
  frame.
* The smaller of the two hand networks saves 10 ms (46 -> 36). Its points lie 1.5 to 3.6 px from the larger's, on
  hands 80 px long.
* Hands are searched only if the wrist is visible: head and shoulders in front of a webcam cost 24 ms, not 36.
* The body is smoothed (one-euro). On a nod that costs 1.5 frames of lag and a tenth of the amplitude, and divides
  jitter by two to four. That counts more, since a micro-action is a few pixels. Hands and face are not smoothed.

The graph assumes frames 1/30 s apart; only the smoothing's strength depends on that.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.base import check_image
from mar_edge.edge.pose.mapping import FACE_MESH_POINTS, mediapipe_to_ma52

# Parts of either clip were painted over, and joints compared with those of the whole picture (of a 1296 px frame).
# Below a visibility of 0.5 the median error is 75 to 210 px. From 0.5 on it is 37, from 0.7 on 24, from 0.9 on 7.
MIN_SCORE = 0.5

_HAND_LITE = 0
_NODES_TO_CHANGE = 2 * 3  # of either hand: two that select the network, one that holds the visibility threshold
_REINSTALL = "install the version this was made for: pip install mediapipe==0.10.21"
_KNOWN_NOISE = re.compile(
    rb"Created TensorFlow Lite XNNPACK delegate"
    rb"|All log messages before absl::InitializeLog"
    rb"|Feedback manager requires a model with a single signature"
    rb"|Using NORM_RECT without IMAGE_DIMENSIONS"
)


class MediaPipePose:
    """The most prominent person (MediaPipe tracks one), in the ``ma52`` layout.

    Scores of body joints are the graph's visibilities. Those of a detected hand or face are 1. The graph has no
    visibility for their points, and reports them only if its own presence test passes. A joint that scores less than
    ``min_score`` keeps its score and has NaN for its place; one outside the picture is missing (NaN, 0).

    Not thread-safe. While opening, and until the first person is seen, stderr is filtered (see ``_without_noise``).
    """

    name = "mediapipe"

    def __init__(self, min_score: float = MIN_SCORE) -> None:
        if not 0 <= min_score <= 1:
            raise MarEdgeError(f"the pose's min_score is a number from 0 to 1, not {min_score}")
        self.layout = load_layout("ma52")
        self._min_score = min_score
        self._graph: Any = None
        self._seen_someone = False

    def __enter__(self) -> MediaPipePose:
        """Import MediaPipe and load its networks, in about a second.

        Raises:
            MissingExtra: mediapipe is not installed.
            MarEdgeError: it is installed, but not the version whose graph this file knows.
        """
        with _without_noise():
            self._graph = _open_graph(self._min_score)
            self._graph.process(np.zeros((256, 256, 3), np.uint8))  # the graph's nodes open with its first frame
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def estimate(self, image: NDArray[np.uint8], t_s: float | None = None) -> list[Skeleton]:
        """See ``PoseEstimator.estimate``: one skeleton, or none where nobody is seen.

        Raises:
            MarEdgeError: the image is not (H, W, 3) uint8.
        """
        if self._graph is None:
            raise RuntimeError("MediaPipePose is not open: use it in a with statement")
        check_image(image)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        with contextlib.nullcontext() if self._seen_someone else _without_noise():
            result = self._graph.process(rgb)
        if result.pose_landmarks is None:
            return []
        self._seen_someone = True

        H, W, _ = image.shape
        joints, scores = mediapipe_to_ma52(
            _body(result.pose_landmarks, W, H),
            _part(result.left_hand_landmarks, range(21), W, H),
            _part(result.right_hand_landmarks, range(21), W, H),
            _part(result.face_landmarks, FACE_MESH_POINTS, W, H),
        )
        # Only now, so that the neck of someone whose shoulder is just out of the picture still has its place.
        outside = ~((joints >= 0) & (joints < (W, H))).all(axis=-1)
        scores[outside] = 0
        joints[outside | (scores < self._min_score)] = np.nan
        return [Skeleton(joints, scores)]


def _open_graph(hand_min_visibility: float) -> Any:
    """Return the holistic graph with the smaller hand network, and hands searched only at visible wrists."""
    try:
        import mediapipe  # optional, and a second to import
        from mediapipe.calculators.util import thresholding_calculator_pb2
        from mediapipe.framework import calculator_pb2
        from mediapipe.framework.tool import switch_container_pb2
        from mediapipe.python._framework_bindings import (
            resource_util,
            validated_graph_config,
        )
        from mediapipe.python.solution_base import SolutionBase
        from mediapipe.python.solutions import holistic  # noqa: F401  # registers its types
    except ModuleNotFoundError as error:
        if error.name == "mediapipe":
            raise MarEdgeError("mediapipe is not installed: pip install mediapipe==0.10.21") from None
        raise MarEdgeError(f"mediapipe is installed but cannot be loaded: {error}; {_REINSTALL}") from None
    except ImportError as error:
        raise MarEdgeError(f"mediapipe is installed but cannot be loaded: {error}; {_REINSTALL}") from None

    wheel = Path(mediapipe.__file__).parent
    resource_util.set_resource_dir(str(wheel.parent))
    expanded = validated_graph_config.ValidatedGraphConfig()
    expanded.initialize(binary_graph_path=str(wheel / "modules/holistic_landmark/holistic_landmark_cpu.binarypb"))
    graph = calculator_pb2.CalculatorGraphConfig()
    graph.ParseFromString(expanded.binary_config)
    changed = 0
    for node in graph.node:
        if "__handlandmarkmodelloader__switchcontainer__" in node.name and node.calculator.startswith("Switch"):
            node.options.Extensions[switch_container_pb2.SwitchContainerOptions.ext].select = _HAND_LITE
            changed += 1
        if "__handvisibilityfromhandlandmarksfrompose__Thresholding" in node.name:
            options = thresholding_calculator_pb2.ThresholdingCalculatorOptions
            node.options.Extensions[options.ext].threshold = hand_min_visibility
            changed += 1
    if changed != _NODES_TO_CHANGE:
        raise MarEdgeError(f"mediapipe {mediapipe.__version__} has another holistic graph; {_REINSTALL}")
    return SolutionBase(
        graph_config=graph,
        side_inputs={
            "model_complexity": 1,  # the only body network in the wheel
            "smooth_landmarks": True,
            "enable_segmentation": False,
            "smooth_segmentation": False,
            "refine_face_landmarks": False,
            "use_prev_landmarks": True,
        },
        outputs=["pose_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks"],
    )


def _body(landmarks: Any, W: int, H: int) -> NDArray[np.float32]:
    """MediaPipe's points, in parts of the picture's sides -> (33, 3) float32 x px, y px, visibility."""
    return np.array([(p.x * W, p.y * H, p.visibility) for p in landmarks.landmark], np.float32)


def _part(landmarks: Any | None, indices: range | tuple[int, ...], W: int, H: int) -> NDArray[np.float32] | None:
    """Return the chosen points of a hand or a face -> (N, 3) float32 x px, y px, 1; None where it was not found."""
    if landmarks is None:
        return None
    points = landmarks.landmark
    return np.array([(points[i].x * W, points[i].y * H, 1.0) for i in indices], np.float32)


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Keep MediaPipe's start-up chatter from the terminal, and pass on every other line once the block is left.

    Its C++ side writes to file descriptor 2 and ignores the usual switches (GLOG_minloglevel and similar were tried).
    So the descriptor itself is redirected to a temporary file meanwhile.
    """
    sys.stderr.flush()
    try:
        terminal = os.dup(2)
    except OSError:  # a daemon without stderr has nothing to keep clean
        yield
        return
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            captured.seek(0)
            for line in captured:
                if not _KNOWN_NOISE.search(line):
                    os.write(2, line)
