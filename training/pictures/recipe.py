"""Training recipe of MANet: every setting that decides the result, apart from data, word vectors and seed."""

from __future__ import annotations

from mar_edge.edge.network.manet import MANetConfig
from mar_edge.training.recipe import BaseRecipe, check_setting


class ManetRecipe(BaseRecipe, frozen=True, kw_only=True, tag_field="family", tag="manet"):
    """A recipe of MANet.

    width, depths: the network (``MANetConfig``).

    lr_drops: shares of the run after which the learning rate is divided by 10.

    momentum: of stochastic gradient descent. mirror: probability that a clip is mirrored.
    """

    width: int = 64
    depths: tuple[int, int, int, int] = (3, 4, 6, 3)
    lr_drops: tuple[float, ...]
    momentum: float
    mirror: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_shares("momentum", "mirror")
        check_setting(
            all(0 < share < 1 for share in self.lr_drops),
            f"lr_drops are shares of the run, above 0 and below 1; not {self.lr_drops}",
        )
        try:
            MANetConfig(width=self.width, depths=self.depths)
        except ValueError as error:
            check_setting(False, f"--width and --depths of a MANet: {error}")


# Guo et al., "Benchmarking Micro-action Recognition", TCSVT 2024: the authors' configuration, for one GPU. They divide
# the learning rate after epochs 30 and 60 of 80, and keep the checkpoint with the highest top-1 accuracy.
MANET = ManetRecipe(
    epochs=80,
    batch=10,
    lr=0.00125,
    lr_drops=(30 / 80, 60 / 80),
    momentum=0.9,
    weight_decay=1e-4,
    dropout=0.5,
    clip_norm=20.0,
    mirror=0.5,
)
