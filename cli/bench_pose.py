"""``bench --pose``: from names and files to a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from mar_edge.cli.bench_report import print_environment, write_json
from mar_edge.cli.model_download import fetch_shown
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.choice import PoseConfig, is_holistic, model_files, networks_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mar_edge.cli.pose_timing import PoseReport, PoseRow
    from mar_edge.edge.choices import RuntimeName

_LAYOUT = "ma52"
_NOISE = (1080, 1920, 3)


def bench_pose(
    options: PoseConfig,
    runtimes: Sequence[RuntimeName],
    people: Sequence[int],
    image: Path | None,
    rounds: int,
    threads: int,
    json: Path | None,
) -> None:
    """Time a pose stage, print a table, and write its figures to ``json``, if there is one."""
    from mar_edge.cli.model_timing import environment
    from mar_edge.cli.pose_timing import PoseReport

    found = environment(threads)
    if is_holistic(options.pose):
        picture = _demo() if image is None else _read(image)
        name, rows = options.pose, _holistic(networks_folder(options.pose), runtimes, people, picture, rounds, threads)
    else:
        picture = _noise() if image is None else _read(image)
        name, rows = _top_down(options, runtimes, people, picture, rounds, threads)
    H, W, _ = picture.shape
    report = PoseReport(environment=found, pose=name, picture=(W, H), rounds=rounds, rows=rows)
    _print(report)
    write_json(report, json)


def _top_down(
    options: PoseConfig,
    runtimes: Sequence[RuntimeName],
    people: Sequence[int],
    picture: NDArray[np.uint8],
    rounds: int,
    threads: int,
) -> tuple[str, tuple[PoseRow, ...]]:
    from mar_edge.cli.pose_timing import Crowd, time_crowds
    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.runtime.choice import open_runtime

    files = model_files(options, fetch_shown)
    with ExitStack() as stack, showing_progress() as progress:
        crowds = []
        for runtime in runtimes:
            pose, detector = (
                stack.enter_context(open_runtime(path, runtime, threads).runtime)
                for path in (files.pose, files.detector)
            )
            crowds += [
                Crowd(
                    pose,
                    detector,
                    family=files.family,
                    detector_size=files.detector_size,
                    layout=load_layout(_LAYOUT),
                    people=count,
                )
                for count in people
            ]
        return files.name, time_crowds(crowds, picture, rounds, progress)


def _holistic(
    folder: Path | None,
    runtimes: Sequence[RuntimeName],
    people: Sequence[int],
    picture: NDArray[np.uint8],
    rounds: int,
    threads: int,
) -> tuple[PoseRow, ...]:
    from mar_edge.cli.pose_timing import time_holistic
    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.pose.focus import Focus
    from mar_edge.edge.pose.holistic.networks import Networks
    from mar_edge.edge.pose.holistic.stage import HolisticPose

    layout = load_layout(_LAYOUT)
    with ExitStack() as stack, showing_progress() as progress:
        stages = []
        for runtime in runtimes:
            for count in people:
                pose = HolisticPose(layout, focus=Focus(count), networks=Networks(runtime, threads, folder=folder))
                stages.append((count, stack.enter_context(pose)))
        rows = time_holistic(stages, picture, rounds, progress)
    missing = sorted(set(people) - {row.people for row in rows})
    if missing:
        why = f"the stage does not find {', '.join(map(str, missing))} people in this picture repeated"
        if not rows:
            raise MarEdgeError(f"{why}; give a picture of one person (--image), or fewer --people")
        print(f"warning: not timed: {why}", file=sys.stderr)
    return rows


def _noise() -> NDArray[np.uint8]:
    import numpy as np

    return np.random.default_rng(0).integers(0, 255, _NOISE, np.uint8)


def _demo() -> NDArray[np.uint8]:
    """Return a picture of a person: hands and faces are searched only where a person is found."""
    from mar_edge.streaming.capture.demo import DemoVideo

    return DemoVideo().frame_at(0.0)


def _read(path: Path) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    image = cv2.imread(str(path))
    if image is None:
        raise MarEdgeError(f"{path} is not a picture that OpenCV can read; give a PNG or JPEG file")
    return np.asarray(image, np.uint8)


def _print(report: PoseReport) -> None:
    print_environment(report.environment)
    W, H = report.picture
    print(f"{report.pose}; picture {W}x{H}; medians in ms; frame: with a detection every fifth frame")
    on = max(len(row.runtime) for row in report.rows)
    stages = list(report.rows[0].stages_ms)
    print(f"{'runtime':<{on}}  people" + "".join(f"{name:>9}" for name in [*stages, "frame", "p95", "each", "singly"]))
    for row in report.rows:
        figures = [
            *(row.stages_ms[stage] for stage in stages),
            row.frame_ms,
            row.frame_p95_ms,
            row.frame_ms / row.people,
        ]
        alone = "        -" if row.one_by_one_ms is None else f"{row.one_by_one_ms:9.2f}"
        print(f"{row.runtime:<{on}}  {row.people:>6}" + "".join(f"{figure:9.2f}" for figure in figures) + alone)
    if any(row.one_by_one_ms is not None for row in report.rows):
        print("network: all people in one inference; singly: one inference per person")
