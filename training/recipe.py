"""Training recipes: every setting that decides the result, apart from data and seed; and the presets."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from mar_edge.edge.choices import Encoding, Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.mmn import HEADS
from mar_edge.training.augment import Augmentation
from mar_edge.training.choices import Balance, Loss, Preset


def check_setting(fine: bool, what: str) -> None:
    """Raise MarEdgeError, which says ``what`` was expected, unless a setting is ``fine``."""
    if not fine:
        raise MarEdgeError(what)


class BaseRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """What the recipes of all families have.

    epochs, steps: length of the run, one of the two. A step takes ``batch`` clips.

    least_steps: smallest number of steps; small data sets get more epochs.

    lr: highest learning rate. clip_norm: largest norm of the gradient; None does not clip.

    validate_every: steps between validations; None is an epoch.

    validation_share: share of the recordings to validate on, if the data has no other split.
    """

    epochs: int | None = None
    steps: int | None = None
    least_steps: int = 0
    batch: int
    lr: float
    weight_decay: float
    dropout: float
    clip_norm: float | None = None
    validate_every: int | None = None
    validation_share: float = 0.2

    def __post_init__(self) -> None:
        check_setting(
            (self.epochs is None) != (self.steps is None) and (self.epochs or self.steps or 0) >= 1,
            f"a run takes either epochs or steps, at least 1; not {self.epochs} epochs, {self.steps} steps",
        )
        check_setting(self.batch >= 2, f"a batch has at least 2 clips, not {self.batch}")
        check_setting(0 < self.lr < math.inf, f"a learning rate is a number above 0, not {self.lr}")
        check_setting(
            0 <= self.weight_decay < math.inf, f"a weight decay is a number of at least 0, not {self.weight_decay}"
        )
        self.check_shares("dropout", "validation_share")

    def check_shares(self, *names: str) -> None:
        """Raise MarEdgeError unless these fields are from 0 to below 1."""
        for name in names:
            value = getattr(self, name)
            check_setting(0 <= value < 1, f"{name} is from 0 to below 1, not {value}")

    def run_steps(self, per_epoch: int) -> int:
        """Return the optimizer steps of the whole run, whose epochs have ``per_epoch`` steps."""
        if self.steps is not None:
            return self.steps
        return max(self.epochs or 0, math.ceil(self.least_steps / per_epoch)) * per_epoch


class Recipe(BaseRecipe, frozen=True, kw_only=True, tag_field="family", tag="mmn"):
    """A recipe of MMN; the presets are below.

    stream, encoding, width, depths: the network (``MMNConfig``).

    schedule: of the learning rate, see ``training.schedule``. warm_up: share of the steps up to its peak.

    first_lr, last_lr: first and last learning rate of ``cosine``.

    ema: decay of averaged weights. These are validated and kept. None keeps the last weights.

    loss: ``cross-entropy`` teaches one label per clip, with a softmax. The others teach a sigmoid for each label, so
    several labels or none may be predicted (``training.losses``).

    synthetic_share: share of synthetic clips among those of corrections (``training.datasets.rehearsal``).

    balance: handling of rare classes, see ``training.balance``.
    """

    stream: Stream = "joint"
    encoding: Encoding
    width: int
    depths: tuple[int, int, int, int]
    schedule: Literal["cosine", "one-cycle"]
    first_lr: float = 0.0
    last_lr: float = 0.0
    warm_up: float
    label_smoothing: float
    drop_path: float
    dropout: float = 0.1
    ema: float | None = None
    loss: Loss = "cross-entropy"
    synthetic_share: float = 0.0
    balance: Balance = "none"
    augmentation: Augmentation
    validation_clips: int = 2048

    @property
    def several_labels(self) -> bool:
        """Whether the network has a sigmoid for each label."""
        return self.loss != "cross-entropy"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_setting(
            self.width >= 4 * HEADS and self.width % (4 * HEADS) == 0,
            f"--width is a multiple of {4 * HEADS}, not {self.width}",
        )
        check_setting(min(self.depths) >= 1, f"--depths is four whole numbers of at least 1, not {self.depths}")
        self.check_shares("warm_up", "label_smoothing", "drop_path", "synthetic_share")
        check_setting(
            not (self.several_labels and self.balance == "weights"),
            f"--balance weights is for the loss cross-entropy, not for {self.loss}; leave it out",
        )


# The authors' configuration files (Gu et al., "Motion Matters", ACM MM 2025). Reversal is left out, see
# ``Augmentation``. The strengths of the other augmentations are ours: the authors' never reached the network.
PAPER = Recipe(
    encoding="raw",
    width=96,
    depths=(3, 3, 3, 3),
    epochs=120,
    batch=64,
    schedule="cosine",
    lr=1e-3,
    first_lr=1e-7,
    last_lr=1e-5,
    warm_up=20 / 120,
    weight_decay=0.1,
    label_smoothing=0.1,
    drop_path=0.3,
    augmentation=Augmentation(crop=0.1, jitter=1.0, rotate_deg=10, shear=0.1, squeeze=(0.8, 1.0)),
)

# First stage of the model in the package: a small network that sees each clip once.
SYNTHETIC = Recipe(
    encoding="contact",
    width=32,
    depths=(1, 1, 1, 1),
    steps=6000,
    batch=32,
    schedule="one-cycle",
    lr=2e-3,
    warm_up=0.1,
    weight_decay=0.05,
    label_smoothing=0.05,
    drop_path=0.05,
    clip_norm=2.0,
    ema=0.998,
    augmentation=Augmentation(mirror=0.5, squeeze=(0.7, 1.0), frozen_clips=0.1, frozen_joints=0.15),
    validate_every=500,
)

# Second stage, on ``synth-live``. The network is too small to overfit, so it is not regularized.
LIVE = msgspec.structs.replace(
    SYNTHETIC, steps=5000, lr=1.5e-3, label_smoothing=0.0, drop_path=0.0, dropout=0.0, weight_decay=0.02
)

# Third stage, on ``synth-concurrent``, with a probability for each label.
CONCURRENT = msgspec.structs.replace(LIVE, steps=1500, lr=1.2e-3, loss="bce", validate_every=250)

# From a trained network, which also sets the shape: the one here is ignored. The learning rate is lower and epochs are
# fewer. With a hundred clips, 30 epochs would be 90 steps, which are not enough; hence ``least_steps``.
FINE_TUNE = msgspec.structs.replace(
    PAPER,
    epochs=30,
    least_steps=400,
    batch=32,
    lr=3e-4,
    first_lr=1e-6,
    last_lr=1e-6,
    warm_up=0.1,
    weight_decay=0.05,
    drop_path=0.1,
)

# From a trained network, on what coders corrected in about twenty minutes (benchmarks/corrections.py). The averaged
# weights stay between those of the start and the new ones (Wortsman et al., "Robust fine-tuning of zero-shot models",
# CVPR 2022).
CORRECTIONS = msgspec.structs.replace(
    CONCURRENT, steps=200, lr=1e-3, ema=0.995, synthetic_share=0.5, validate_every=50, validation_share=0.2
)

PRESETS: dict[Preset, Recipe] = {
    "paper": PAPER,
    "synthetic": SYNTHETIC,
    "live": LIVE,
    "concurrent": CONCURRENT,
    "fine-tune": FINE_TUNE,
    "corrections": CORRECTIONS,
}
