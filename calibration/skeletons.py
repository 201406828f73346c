"""Windows of skeletons for calibration and others for comparison: a ``Source`` of the data sets of training."""

from __future__ import annotations

import numpy as np

from mar_edge.calibration.datasets import DatasetWindows
from mar_edge.calibration.windows import FEWEST_WINDOWS, Windows, check_different
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.training.augment import NO_AUGMENTATION
from mar_edge.training.datasets.base import Dataset
from mar_edge.training.datasets.opening import SYNTHETIC, open_training
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.synth.world import HELD_OUT

# In coordinates from -1 to 1. Synthetic windows differ by 0.3 on average.
_NO_DIFFERENCE = 0.01
# Neither training nor evaluation uses these seeds.
_CALIBRATION_SEED = 3_000_017
_COMPARISON_SEED = 4_000_037
_HELD_OUT_SHARE = 0.5
# Mean squared step from frame to frame over twice the variance of all coordinates: 1 for white noise. Of 1,024 held-out
# synthetic windows half were below 0.0002 and all below 0.005.
_NOISE_RATIO = 0.3


def open_skeletons(
    spec: str, metadata: ModelMetadata, calibrate_on: int, compare_on: int
) -> tuple[DatasetWindows, DatasetWindows]:
    """Return data for calibration and independent data for comparison.

    ``calibrate_on``, ``compare_on``: numbers of windows of synthetic motion. Its second half comes from a world that no
    model was trained on. For MA-52 and iMiGUE the two are the training and the validation split. Other recordings are
    halved.

    Raises:
        MarEdgeError: no such data set, it is damaged, or its layout is not the model's.
    """
    if spec == SYNTHETIC:
        calibration: Dataset = SyntheticDataset(_CALIBRATION_SEED, calibrate_on)
        comparison: Dataset = SyntheticDataset(_COMPARISON_SEED, compare_on, world=HELD_OUT)
    else:
        calibration, comparison = open_training(
            spec,
            None,
            seed=0,
            augmentation=NO_AUGMENTATION,
            synthetic_clips=calibrate_on,
            validation_clips=compare_on,
            validation_share=_HELD_OUT_SHARE,
        )
    layout = load_layout(metadata.layout)
    if calibration.layout.name != layout.name:
        raise MarEdgeError(f"{spec} holds {calibration.layout.name} skeletons, the model takes {layout.name} ones")
    learnt, held_out = (DatasetWindows(each, metadata, check_skeletons) for each in (calibration, comparison))
    return learnt, held_out


def check_skeletons(windows: Windows, to: str = "calibrate", fewest: int = FEWEST_WINDOWS) -> None:
    """Refuse to calibrate or compare (``to``) on data that is not representative of people.

    Raises:
        MarEdgeError: there are too few different windows, the people do not move, or it is noise.
    """
    skeleton = windows.inputs["skeleton"]
    check_different(windows, skeleton, to, fewest)
    if float(skeleton.std(axis=0).mean()) < _NO_DIFFERENCE:
        raise MarEdgeError(f"the windows of {windows.name} hardly differ from each other; {to} on more varied data")
    moving = int((np.ptp(skeleton, axis=1) > _NO_DIFFERENCE).any(axis=(1, 2)).sum())
    if moving < fewest:
        raise MarEdgeError(
            f"only {moving} of the {len(windows)} windows of {windows.name} have movement, too few to {to} on; at "
            f"least {fewest} are needed"
        )
    x = skeleton.astype(np.float64)
    steps = np.square(np.diff(x, axis=1)).mean(axis=(1, 2, 3))
    spreads = 2 * x.var(axis=(1, 2)).mean(axis=-1)
    ratio = float(np.median(steps / np.maximum(spreads, 1e-12)))
    if not ratio < _NOISE_RATIO:
        raise MarEdgeError(
            f"{windows.name} is noise, not people: joints jump from frame to frame across the whole figure (ratio "
            f"{ratio:.2f}, for people below 0.01). Ranges measured on it would be wrong"
        )
