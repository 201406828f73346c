"""``train``."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar, get_args

import typer

from mar_edge.cli.app import INTERRUPTED, command
from mar_edge.cli.extras import require
from mar_edge.cli.number_lists import whole_numbers
from mar_edge.cli.participants import participant_names
from mar_edge.edge.choices import Device, Encoding, Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.choices import Balance, Loss, Preset


@dataclass(frozen=True)
class Data:
    """What to learn from."""

    PANEL: ClassVar = "Data"

    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Training data: synth, synth-live, synth-concurrent, ma52:FOLDER, mma52:FOLDER, imigue:FOLDER, "
            "recordings:FOLDER, corrections:FOLDER or clips.npz. For MANet: videos:FOLDER or videos:LIST "
            "(default: synth).",
            show_default=False,
        ),
    ] = None
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Validation data, as --data (default: the data's own, or a part of it).",
            show_default=False,
        ),
    ] = None
    participants: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Participants whose corrections to train on, with commas between them (default: all).",
            show_default=False,
        ),
    ] = None
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV with id,action,body\\[,way,opposite]: class names.", show_default=False),
    ] = None
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Train on mirrored clips as well, where no label has a side.",
            show_default=False,
        ),
    ] = None
    reverse: Annotated[
        bool | None,
        typer.Option(
            "--reverse/--no-reverse",
            help="Train on reversed clips as well, where no label is the reverse of another.",
            show_default=False,
        ),
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed of the clips and the initial weights.", min=0, show_default=False),
    ] = None


@dataclass(frozen=True)
class Network:
    """What to train."""

    PANEL: ClassVar = "Network"

    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE|package",
            help="Checkpoint to fine-tune, of any classes; 'package' is the one of the package's model. For MANet also "
            "torchvision's resnet50.",
            show_default=False,
        ),
    ] = None
    words: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Word vectors of the labels, for MANet: a table (.npz, .npy, text), or the text file of GloVe.",
            show_default=False,
        ),
    ] = None
    stream: Annotated[Stream | None, typer.Option(help="Input of the network.", show_default=False)] = None
    encoding: Annotated[Encoding | None, typer.Option(help="Encoding of the input.", show_default=False)] = None
    width: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of channels, a multiple of 16 (MANet: of 8).", show_default=False),
    ] = None
    depths: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N,N",
            help="Number of blocks at each of the four scales, such as 1,1,1,1.",
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True)
class Schedule:
    """How to train it."""

    PANEL: ClassVar = "Optimization"

    preset: Annotated[
        Preset | None,
        typer.Option(
            "--recipe",
            metavar="NAME",
            help=f"Recipe: {', '.join(get_args(Preset))} (default: manet with videos, concurrent with "
            "synth-concurrent, corrections with corrections:FOLDER, fine-tune with --from, synthetic with synth, else "
            "paper).",
            show_default=False,
        ),
    ] = None
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Number of passes over the data.", min=1, show_default=False)
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of optimizer steps, instead of epochs.", min=1, show_default=False),
    ] = None
    batch: Annotated[
        int | None, typer.Option(metavar="N", help="Number of clips in a step.", min=2, show_default=False)
    ] = None
    lr: Annotated[float | None, typer.Option(metavar="RATE", help="Highest learning rate.", show_default=False)] = None
    weight_decay: Annotated[float | None, typer.Option(metavar="RATE", help="Weight decay.", show_default=False)] = None
    drop_path: Annotated[
        float | None, typer.Option(metavar="RATE", help="Highest rate of stochastic depth.", show_default=False)
    ] = None
    balance: Annotated[
        Balance | None,
        typer.Option(
            metavar="METHOD",
            help=f"Balance of rare classes: {', '.join(get_args(Balance))}.",
            show_default=False,
        ),
    ] = None
    loss: Annotated[
        Loss | None,
        typer.Option(
            metavar="LOSS",
            help="Loss: cross-entropy for one label at a time; bce, asymmetric or focal for several at once.",
            show_default=False,
        ),
    ] = None

    synthetic_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of synthetic clips mixed into corrections, from 0 to below 1 (default: that of the recipe).",
            show_default=False,
        ),
    ] = None


@command(
    "Train and deploy",
    "train --run run --steps 2000",
    "train --run tuned --from package --data corrections:FOLDER",
    "train --run tuned --from package --data recordings:FOLDER --labels labels.csv --epochs 20",
    "train --run manet --data videos:FOLDER --from resnet50.pth --words glove.6B.300d.txt --device cuda",
    "train --run run",
)
def train(
    *,
    run: Annotated[Path, typer.Option(metavar="FOLDER", help="Run folder; alone, it resumes the run in it.")],
    save_every: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS", help="Steps between saved states (default: once a minute).", min=1, show_default=False
        ),
    ] = None,
    keep_all: Annotated[
        bool, typer.Option("--keep-all", help="Keep every validated checkpoint, as step-STEP.pt.")
    ] = False,
    data: Data,
    network: Network,
    schedule: Schedule,
    device: Annotated[
        Device, typer.Option(help="Device to train on; cuda trains in bfloat16.", rich_help_panel="Performance")
    ] = "cpu",
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of processes that prepare clips.",
            min=0,
            show_default=False,
            rich_help_panel="Performance",
        ),
    ] = None,
) -> None:
    """Train a network on synthetic motion or on your data.

    The best checkpoint is written as best.pt, for export.

    Skeletons train MMN, videos train MANet. The recipe sets what is not named: paper and manet are the authors',
    synthetic that of the package's model, fine-tune goes with --from.

    PyTorch takes every core; OMP_NUM_THREADS=N takes N.
    """
    require("train", "torch", "tensorboard")
    from rich.console import Console

    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.training.command import run_training
    from mar_edge.training.options import TrainOptions
    from mar_edge.training.reporting import BarReporter, CombinedReporter, LineReporter, TensorBoardReporter

    asked = asdict(data) | asdict(network) | asdict(schedule)
    asked["participants"] = None if data.participants is None else participant_names(data.participants)
    asked["depths"] = None if network.depths is None else four_depths(network.depths)
    console = Console()
    shown = BarReporter(console) if console.is_terminal else LineReporter(sys.stdout)
    with StopSignals() as stop, CombinedReporter([shown, TensorBoardReporter(run / "tensorboard")]) as reporter:
        best = run_training(
            run,
            TrainOptions(**asked),
            reporter,
            should_stop=lambda: stop.reason is not None,
            device=device,
            workers=workers,
            save_every=save_every,
            keep_all=keep_all,
        )
    if best is None:
        print(f"{stop.reason}; its state is saved. To resume: mar-edge train --run {run}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    print(f"best checkpoint: {best}")


def four_depths(text: str) -> tuple[int, int, int, int]:
    """Return ``--depths`` as numbers.

    Raises:
        MarEdgeError: it is not four whole numbers.
    """
    depths = whole_numbers("--depths", text, "1,1,1,1")
    if len(depths) != 4:
        raise MarEdgeError(f"--depths takes four numbers, such as 1,1,1,1; not '{text}'")
    return depths[0], depths[1], depths[2], depths[3]
