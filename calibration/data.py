"""Data for calibration and comparison that ``--data`` names, for the family of the model. Runs no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mar_edge.calibration.pictures import open_pictures, picture_files
from mar_edge.calibration.skeletons import open_skeletons
from mar_edge.calibration.windows import Source
from mar_edge.edge.choices import Family
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.training.datasets.opening import files_of


@dataclass(frozen=True)
class Effort:
    """How many windows measurements are made on.

    costs_on: to compare the costs of layers; agreement needs more.
    choose_on: to choose layers: enough windows of most labels to measure the drop of one.
    """

    costs_on: int
    choose_on: int


# A clip of pictures costs 24 times a window of skeletons.
EFFORTS: Mapping[Family, Effort] = {"mmn": Effort(64, 2048), "manet": Effort(16, 256)}


def open_sources(spec: str, metadata: ModelMetadata, calibrate_on: int, compare_on: int) -> tuple[Source, Source]:
    """Return data for calibration and independent data for comparison.

    Args:
        spec: a data set of training; for a model of pictures ``videos:PATH``, listed or not.
        calibrate_on: number of windows of synthetic motion for calibration.
        compare_on: the same, for comparison.

    Raises:
        MarEdgeError: no such data, it is damaged, or it is not what the model takes.
    """
    match metadata.family:
        case "mmn":
            return open_skeletons(spec, metadata, calibrate_on, compare_on)
        case "manet":
            return open_pictures(spec, metadata)


def data_files(spec: str, metadata: ModelMetadata) -> list[Path]:
    """Return the existing files of data.

    Raises:
        MarEdgeError: no such data.
    """
    return picture_files(spec) if metadata.family == "manet" else files_of(spec)
