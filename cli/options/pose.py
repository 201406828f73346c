"""Options about the pose stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from mar_edge.edge.choices import RuntimeName, Smoothing
from mar_edge.edge.pose.choice import HOLISTIC, PoseConfig

Detector = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="Person detector of a pose model: by name, or rtmdet:FILE or yolox:FILE (default: the pose model's own).",
        show_default=False,
    ),
]
Mirror = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|URL",
        help="Folder or address to download known models from (default: $MAR_EDGE_MIRROR, else their publishers').",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class PoseModel:
    """Which pose stage: ``holistic``, or a pose model with its detector."""

    PANEL: ClassVar = "Pose"

    pose: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE|FOLDER",
            help="Pose stage: holistic, a known model ('mar-edge models --list'), an ONNX file, or a folder that "
            "'mar-edge calibrate --pose' wrote.",
        ),
    ] = HOLISTIC
    detector: Detector = None
    min_score: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE",
            help="Score below which a joint counts as not seen (default: the pose stage's own).",
            show_default=False,
        ),
    ] = None
    mirror: Mirror = None

    def config(self, runtime: RuntimeName = "auto", threads: int = 0) -> PoseConfig:
        """Return which pose stage to open.

        Args:
            runtime: of its networks.
            threads: of one inference on a CPU; 0 takes every core.
        """
        return PoseConfig(**vars(self), runtime=runtime, threads=threads)


@dataclass(frozen=True)
class PoseOptions(PoseModel):
    """The pose stage, the people that it follows, and the filter of their joints."""

    people: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of people to follow at most (default: 1; 4 with a pose model).",
            show_default=False,
        ),
    ] = None
    focus: Annotated[
        str,
        typer.Option(
            metavar="PEOPLE",
            help="People to follow: all, largest, or those in a region x0,y0,x1,y1, in fractions of the picture.",
        ),
    ] = "all"
    smooth: Annotated[
        Smoothing | None,
        typer.Option(
            metavar="FILTER",
            help="Filter of the joints: off, one-euro or as-mediapipe (default: as-mediapipe for holistic, off for a "
            "pose model).",
            show_default=False,
        ),
    ] = None
