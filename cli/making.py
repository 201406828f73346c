"""``synth``, ``train`` and ``export``."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from mar_edge.cli import INTERRUPTED, app
from mar_edge.cli.extras import require
from mar_edge.cli.lists import whole_numbers
from mar_edge.cli.narrowing import Force, GuardData, GuardWindows, MaxClassDrop, MinAgreement, tell_written
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs


class _Layout(str, Enum):
    ma52 = "ma52"
    imigue = "imigue"


class _Stream(str, Enum):
    joint = "joint"
    bone = "bone"


class _Streams(str, Enum):
    joint = "joint"
    bone = "bone"
    both = "both"


class _Encoding(str, Enum):
    raw = "raw"
    motion = "motion"
    contact = "contact"


class _Recipe(str, Enum):
    paper = "paper"
    synthetic = "synthetic"
    live = "live"
    concurrent = "concurrent"
    fine_tune = "fine-tune"


class _ExportPrecision(str, Enum):
    fp32 = "fp32"
    fp16 = "fp16"


class _Balance(str, Enum):
    none = "none"
    weights = "weights"
    sampling = "sampling"


class _Loss(str, Enum):
    cross_entropy = "cross-entropy"
    bce = "bce"
    asymmetric = "asymmetric"
    focal = "focal"


class _Device(str, Enum):
    cpu = "cpu"
    cuda = "cuda"


@app.command()
def synth(
    out: Annotated[
        Path | None,
        typer.Option(help="clip.mp4 or clip.gif (one clip, drawn) or clips.npz (arrays).", show_default=False),
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="Of a drawing: which action, by name or id.", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option(help="Of an .npz: how many clips.", min=1)] = 1024,
    seed: Annotated[int, typer.Option(help="The same seed gives the same clips.", min=0)] = 1,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Of an .npz: people and cameras unlike those that models learn from.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Of an .npz: half of them as live windows show actions, as synth-live has.")
    ] = False,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Print a table of how synthetic people move; see docs/generator.md.")
    ] = False,
    real: Annotated[
        Path | None,
        typer.Option(
            help="Of the table: a folder with truth.csv and skeletons/, of real people to compare with.",
            show_default=False,
        ),
    ] = None,
    recordings: Annotated[int, typer.Option(help="Of the table: recordings of each of six kinds.", min=1)] = 60,
    without: Annotated[
        str | None,
        typer.Option(
            help="Leave out features, comma-separated: drag, framing, camera, hands, noise-by-size.", show_default=False
        ),
    ] = None,
) -> None:
    """Synthesise skeleton clips of people making micro-actions, or measure how they move."""
    from mar_edge.training.datasets.opening import LIVE_SHARE
    from mar_edge.training.synth.command import statistics_table, write_clips, write_drawing
    from mar_edge.training.synth.world import HELD_OUT, TRAINING

    world = (HELD_OUT if held_out else TRAINING).without(*filter(None, (without or "").split(",")))
    if statistics:
        if out is not None:
            raise MarEdgeError("--statistics prints a table; it goes without --out")
        print(statistics_table(world, recordings, seed, real))
        return
    if real is not None:
        raise MarEdgeError("--real goes with --statistics")
    if out is None:
        raise MarEdgeError("--out is missing: clip.mp4 or clip.gif (one clip, drawn), or clips.npz (arrays)")
    check_outputs([out])
    if out.suffix in (".mp4", ".gif"):
        drawn = write_drawing(out, action, seed)
        print(f"{out}: {drawn}")
    elif out.suffix == ".npz":
        if action is not None:
            raise MarEdgeError("--action goes with a drawing; an .npz holds clips of every action")
        write_clips(out, count, seed, world, LIVE_SHARE if live else 0.0)
        print(f"{out}: {count} clips")
    else:
        raise MarEdgeError(f"--out ends in .mp4 or .gif (one clip, drawn) or .npz (arrays), not '{out.suffix}'")


@app.command()
def train(
    run: Annotated[Path, typer.Option(help="Run folder; alone, it goes on with the run in it.")],
    data: Annotated[
        str | None,
        typer.Option(
            help="synth (the default), synth-live, synth-concurrent, ma52:FOLDER, mma52:FOLDER, imigue:FOLDER, "
            "recordings:FOLDER or clips.npz.",
            show_default=False,
        ),
    ] = None,
    validation: Annotated[
        str | None, typer.Option(help="Likewise; by default the data's own, or a part of it.", show_default=False)
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Class names: CSV with id,action,body[,way,opposite].", show_default=False),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Checkpoint to fine-tune, of any classes; 'package' is that of the package's model.",
            show_default=False,
        ),
    ] = None,
    recipe: Annotated[
        _Recipe | None,
        typer.Option(
            help="By default concurrent with synth-concurrent, fine-tune with --from, synthetic with synth, else "
            "paper.",
            show_default=False,
        ),
    ] = None,
    stream: Annotated[_Stream | None, typer.Option(help="What the network sees.", show_default=False)] = None,
    encoding: Annotated[_Encoding | None, typer.Option(help="How it sees it.", show_default=False)] = None,
    width: Annotated[int | None, typer.Option(help="Channels, a multiple of 16.", show_default=False)] = None,
    depths: Annotated[
        str | None, typer.Option(help="Blocks at each of the four temporal scales, as 1,1,1,1.", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.", min=1, show_default=False)] = None,
    steps: Annotated[
        int | None, typer.Option(help="Instead of epochs: optimiser steps.", min=1, show_default=False)
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Clips a step.", min=2, show_default=False)] = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.", show_default=False)] = None,
    weight_decay: Annotated[float | None, typer.Option(help="AdamW's.", show_default=False)] = None,
    drop_path: Annotated[float | None, typer.Option(help="Stochastic depth, highest rate.", show_default=False)] = None,
    balance: Annotated[
        _Balance | None, typer.Option(help="Rare classes: weigh more, or are drawn more often.", show_default=False)
    ] = None,
    loss: Annotated[
        _Loss | None,
        typer.Option(
            help="cross-entropy: one label at a time; the others: several labels at once.", show_default=False
        ),
    ] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror", help="Also left for right: where no label has a side.", show_default=False
        ),
    ] = None,
    reverse: Annotated[
        bool | None,
        typer.Option(
            "--reverse/--no-reverse", help="Also backwards: where no label is another one so.", show_default=False
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the clips and the weights.", min=0, show_default=False)] = None,
    device: Annotated[_Device, typer.Option(help="Where to train; cuda in bfloat16.")] = _Device.cpu,
    workers: Annotated[
        int | None, typer.Option(help="Processes that prepare clips.", min=0, show_default=False)
    ] = None,
    save_every: Annotated[
        int | None, typer.Option(help="Steps between saved states; once a minute without.", min=1, show_default=False)
    ] = None,
    keep_all: Annotated[
        bool, typer.Option("--keep-all", help="Every validated checkpoint is kept, as step-STEP.pt.")
    ] = False,
) -> None:
    """Train MMN, on synthetic motion or on your data; writes best.pt, for export.

    What is not named is as the recipe says: paper is the authors', synthetic the package's model, fine-tune goes with
    --from. PyTorch takes every core; OMP_NUM_THREADS=N takes N.
    """
    require("train", "torch", "tensorboard")
    from rich.console import Console

    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.training.command import TrainOptions, run_training
    from mar_edge.training.reporting import Bar, Curves, Lines, Together

    options = TrainOptions(
        data=data,
        validation=validation,
        labels=labels,
        start=start,
        preset=None if recipe is None else recipe.value,
        stream=None if stream is None else stream.value,
        encoding=None if encoding is None else encoding.value,
        width=width,
        depths=None if depths is None else _depths(depths),
        epochs=epochs,
        steps=steps,
        batch=batch,
        lr=lr,
        weight_decay=weight_decay,
        drop_path=drop_path,
        balance=None if balance is None else balance.value,
        loss=None if loss is None else loss.value,
        mirror=mirror,
        reverse=reverse,
        seed=seed,
    )
    console = Console()
    shown = Bar(console) if console.is_terminal else Lines(sys.stdout)
    with StopSignals() as stop, Together([shown, Curves(run / "tensorboard")]) as report:
        best = run_training(
            run,
            options,
            report,
            should_stop=lambda: stop.reason is not None,
            device=device.value,
            workers=workers,
            save_every=save_every,
            keep_all=keep_all,
        )
    if best is None:
        print(f"{stop.reason}; its state is saved. To go on: mar-edge train --run {run}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    print(f"best checkpoint: {best}")


def _depths(text: str) -> tuple[int, int, int, int]:
    depths = whole_numbers("--depths", text, "1,1,1,1")
    if len(depths) != 4:
        raise MarEdgeError(f"--depths takes four numbers, as 1,1,1,1; not '{text}'")
    return depths[0], depths[1], depths[2], depths[3]


@app.command()
def export(
    checkpoint: Annotated[
        Path, typer.Argument(help="Published state_dict, or best.pt of a training run; for fp16 a model file as well.")
    ],
    bone_checkpoint: Annotated[
        Path | None, typer.Argument(help="With --stream both: the bone stream's.", show_default=False)
    ] = None,
    layout: Annotated[_Layout, typer.Option(help="Skeleton layout.")] = _Layout.ma52,
    stream: Annotated[_Streams, typer.Option(help="What the checkpoint was trained on.")] = _Streams.joint,
    out: Annotated[Path, typer.Option(help="Model file to write.")] = Path("model.onnx"),
    labels: Annotated[
        Path | None, typer.Option(help="CSV with id,action,body[,way,opposite], in output order.", show_default=False)
    ] = None,
    window_s: Annotated[
        float | None, typer.Option(help="Seconds a window spans; 2 unless the checkpoint says.", show_default=False)
    ] = None,
    confidence: Annotated[
        Path | None,
        typer.Option(help="confidence.json of 'mar-edge evaluate': what scores are worth.", show_default=False),
    ] = None,
    triton: Annotated[
        Path | None,
        typer.Option(help="Folder: also put it into this Triton Inference Server repository.", show_default=False),
    ] = None,
    precision: Annotated[_ExportPrecision, typer.Option(help="Of the graph.")] = _ExportPrecision.fp32,
    data: GuardData = "synth",
    windows: GuardWindows = 2000,
    min_agreement: MinAgreement = 0.98,
    max_class_drop: MaxClassDrop = 3.0,
    force: Force = False,
) -> None:
    """Write the model file of a checkpoint: an ONNX graph that describes itself, checked against PyTorch.

    With --precision fp16 it is compared with FP32 on --windows of --data, and refused below --min-agreement and beyond
    --max-class-drop.
    """
    require("export", "torch", "onnx", "onnxscript")
    from mar_edge.export.command import export_model

    if out.suffix != ".onnx":
        raise MarEdgeError(f"a model file's name ends in .onnx, by which commands know it; not {out.name}")
    check_outputs([out], [checkpoint, bone_checkpoint, labels, confidence])
    if triton is not None:
        from mar_edge.export.triton import place_of

        place_of(out, triton)
    half = precision is _ExportPrecision.fp16
    if checkpoint.suffix == ".onnx" and not half:
        raise MarEdgeError(f"{checkpoint} is a model file already; --precision fp16 makes another of it")
    with TemporaryDirectory(prefix="mar-edge-") as folder:
        full = checkpoint
        if checkpoint.suffix != ".onnx":
            print("exporting and checking; a full-size network takes about a minute ...", flush=True)
            exported = export_model(
                checkpoint,
                bone_checkpoint,
                layout_name=layout.value,
                stream=stream.value,
                out=Path(folder) / "full.onnx" if half else out,
                labels_file=labels,
                window_s=window_s,
                confidence_file=confidence,
            )
            for line in exported.read_as:
                print(line)
            print(
                f"{out}: {exported.metadata.name}, {len(exported.metadata.labels)} classes; "
                f"largest logit difference from PyTorch {exported.difference:.1e}{' before FP16' * half}"
            )
            full = exported.path
        if half:
            from mar_edge.calibration.command import Guard, write_half

            with showing_progress() as progress:
                written = write_half(
                    full, out, Guard(data, windows, min_agreement, max_class_drop / 100, force), progress
                )
            tell_written(written)
    if triton is not None:
        from mar_edge.edge.model_file import parse_metadata
        from mar_edge.edge.runtime.onnxruntime import read_metadata
        from mar_edge.export.triton import write_repository

        metadata = parse_metadata(read_metadata(out), str(out))
        print(f"Triton repository: {write_repository(out, metadata, triton)}")
