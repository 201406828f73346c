"""The report of the holistic stage's networks in fewer bits, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import onnxruntime as ort

from mar_edge.calibration.choices import NarrowPrecision
from mar_edge.calibration.pose.narrow import Narrowed
from mar_edge.calibration.pose.whole_stage import PartError


def report_text(
    precision: NarrowPrecision, networks: Sequence[Narrowed], parts: Sequence[PartError], files: Sequence[str]
) -> str:
    """Return the report. ``files``: names of the videos and pictures."""
    lines = [
        f"# Networks of the holistic stage, {precision}",
        "",
        f"Measured on frames of {', '.join(files)}. All on ONNX Runtime {ort.__version__} (CPU), which "
        "computes in FP32: results of FP16 layers were rounded to FP16.",
        "",
        "## Networks",
        "",
        "The error is the mean distance of keypoints from those of the FP32 network on the same crops, in pixels of a "
        "crop. These crops were not used for ranges or for the choice of layers. The size is relative to the package's "
        "file, whose weights are stored in FP16.",
        "",
        "| network | error, px | crops | INT8 convolutions | size |",
        "|---|---|---|---|---|",
    ]
    for one in networks:
        error = "stays in FP32: too few crops" if one.error_px is None else f"{one.error_px:.3f}"
        layers = f"{one.int8} of {one.layers}" if one.int8 else "-"
        lines.append(f"| {one.name} | {error} | {one.crops} | {layers} | {one.size:.2f} |")
    lines += [
        "",
        "## The whole stage",
        "",
        "Joints of one person, compared with FP32 on the same frames, in pixels of the picture. Each stage follows the "
        "person by its own keypoints, so small differences grow.",
        "",
        "| region | joints | median, px | 95th percentile, px | seen by one alone |",
        "|---|---|---|---|---|",
    ]
    for part in parts:
        lines.append(
            f"| {part.name} | {part.joints} | {part.median_px:.2f} | {part.p95_px:.2f} | {100 * part.alone:.1f} % |"
        )
    return "\n".join(lines) + "\n"
