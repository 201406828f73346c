"""``calibrate --pose holistic``: the stage's networks in fewer bits, into a folder. Joins the parts; prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mar_edge.calibration.choices import Method, NarrowPrecision
from mar_edge.calibration.pose.crops import collect_crops
from mar_edge.calibration.pose.frames import Shot, files_in, shots
from mar_edge.calibration.pose.narrow import FEWEST_CROPS, Aim, Narrowed, narrowed
from mar_edge.calibration.pose.report import report_text
from mar_edge.calibration.pose.whole_stage import PartError, compare_stages
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs, write_whole
from mar_edge.edge.pose.holistic.networks import NETWORKS
from mar_edge.edge.progress import Progress

REPORT = "report.md"
# For ranges and the choice of layers, and as many others for the comparison.
_CROPS = 64
_FRAMES_COMPARED = 120


@dataclass(frozen=True)
class PoseGuard:
    """The comparison with FP32 before anything is written.

    max_error_px: largest mean distance of a network's keypoints from those of FP32, in px of its crop.

    force: write the files in any case. threads: of one inference; 0 takes every core.
    """

    max_error_px: float = 0.5
    force: bool = False
    threads: int = 0


@dataclass(frozen=True)
class WrittenStage:
    """The folder and its report, the networks, the joints compared with FP32, and whether all networks passed."""

    folder: Path
    report: Path
    networks: tuple[Narrowed, ...]
    parts: tuple[PartError, ...]
    passed: bool


def write_stage(
    sources: Sequence[Path],
    out: Path,
    precision: NarrowPrecision,
    guard: PoseGuard,
    progress: Progress,
    *,
    frames: int = 600,
    method: Method = "percentile",
) -> WrittenStage:
    """Write the holistic stage's networks in fewer bits, and a report, into the folder ``out``.

    Args:
        sources: videos and pictures of people, or folders of them.
        frames: number of frames to read at most.
        method: chooses the range of an INT8 tensor.

    Raises:
        MarEdgeError: a source cannot be read, too few frames show a person, the folder cannot be written, or a network
            is too far from FP32.
    """
    files = files_in(sources)
    check_outputs([*(out / f"{name}.onnx" for name in NETWORKS), out / REPORT], files)
    crops = collect_crops(_counted(files, frames, "frames", progress), 2 * _CROPS, guard.threads)
    people = len(crops["pose_landmark"])
    if people < 2 * FEWEST_CROPS:
        raise MarEdgeError(
            f"{people} pictures of a person are too few to calibrate on; give videos with {2 * FEWEST_CROPS} at least, "
            "and some hundreds are better"
        )
    aim = Aim(precision, method, guard.max_error_px, guard.threads)
    networks = tuple(narrowed(name, crops[name], aim, progress) for name in NETWORKS)
    far = [one for one in networks if one.error_px is not None and not one.error_px <= guard.max_error_px]
    if far and not guard.force:
        named = ", ".join(f"{one.name} ({one.error_px:.2f} px)" for one in far)
        raise MarEdgeError(
            f"{out} not written: keypoints are farther from FP32 than --max-error {guard.max_error_px:g} px of the "
            f"crop: {named}; --force writes it anyway"
        )
    with TemporaryDirectory(prefix="mar-edge-") as folder:
        for one in networks:
            write_whole(Path(folder) / f"{one.name}.onnx", one.emulated.SerializeToString())
        parts = compare_stages(_counted(files, _FRAMES_COMPARED, "comparison", progress), Path(folder), guard.threads)
    text = report_text(precision, networks, parts, [file.name for file in files])
    write_whole(out / REPORT, text.encode())
    for one in networks:
        write_whole(out / f"{one.name}.onnx", one.model.SerializeToString())
    return WrittenStage(out, out / REPORT, networks, parts, not far)


def _counted(files: Sequence[Path], most: int, what: str, progress: Progress) -> Iterator[Shot]:
    for done, shot in enumerate(shots(files, most)):
        progress(what, done, most)
        yield shot
    progress(what, most, most)
