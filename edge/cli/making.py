"""``synth``, ``train`` and ``export``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli import app
from edge.cli.extras import require
from edge.errors import MarEdgeError


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


class _Device(str, Enum):
    cpu = "cpu"
    cuda = "cuda"


@app.command()
def synth(
    out: Annotated[Path, typer.Option(help="clip.mp4 (one clip, drawn) or clips.npz (arrays).")],
    action: Annotated[
        str | None, typer.Option(help="Of an .mp4: which action, by name or id.", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option(help="Of an .npz: how many clips.", min=1)] = 1024,
    seed: Annotated[int, typer.Option(help="The same seed gives the same clips.", min=0)] = 1,
) -> None:
    """Synthesise skeleton clips of people making micro-actions."""
    from training.synth.command import write_clips, write_drawing

    if out.suffix == ".mp4":
        drawn = write_drawing(out, action, seed)
        print(f"{out}: {drawn}")
    elif out.suffix == ".npz":
        if action is not None:
            raise MarEdgeError("--action goes with an .mp4; an .npz holds clips of every action")
        write_clips(out, count, seed)
        print(f"{out}: {count} clips")
    else:
        raise MarEdgeError(f"--out ends in .mp4 (one clip, drawn) or .npz (arrays), not '{out.suffix}'")


@app.command()
def train(
    run: Annotated[Path, typer.Option(help="Run folder; an interrupted run in it goes on.")],
    stream: Annotated[_Stream, typer.Option(help="What the network sees.")] = _Stream.joint,
    width: Annotated[int, typer.Option(help="Channels, a multiple of 16.")] = 32,
    depths: Annotated[str, typer.Option(help="Blocks at each of the four temporal scales.")] = "1,1,1,1",
    steps: Annotated[int, typer.Option(help="Optimiser steps.", min=10)] = 7000,
    batch: Annotated[int, typer.Option(help="Fresh clips a step.", min=2)] = 32,
    peak_lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(help="Of the clips and the weights.", min=0)] = 1,
    device: Annotated[_Device, typer.Option(help="Where to train.")] = _Device.cpu,
) -> None:
    """Train MMN on synthesised motion; writes best.pt, for ``export``."""
    require("train", "torch")
    from training.train import Progress, TrainConfig
    from training.train import train as run_training

    if width < 16 or width % 16:
        raise MarEdgeError(f"--width is a multiple of 16, not {width}")

    config = TrainConfig(
        stream=stream.value,
        width=width,
        depths=_depths(depths),
        steps=steps,
        batch=batch,
        peak_lr=peak_lr,
        seed=seed,
        device=device.value,
    )

    def report(progress: Progress) -> None:
        print(
            f"step {progress.step}/{steps}  loss {progress.loss:.3f}  held-out top-1 {progress.top1:.3f}  "
            f"macro F1 {progress.f1_macro:.3f}  {progress.elapsed_s:.0f} s",
            flush=True,
        )

    best = run_training(config, run, report)
    print(f"best checkpoint: {best}")


def _depths(text: str) -> tuple[int, int, int, int]:
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise MarEdgeError(f"--depths are four whole numbers of at least 1, as 1,1,1,1; not '{text}'")
    a, b, c, d = (int(part) for part in parts)
    return a, b, c, d


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="Published state_dict, or best.pt of a training run.")],
    bone_checkpoint: Annotated[
        Path | None, typer.Argument(help="With --stream both: the bone stream's.", show_default=False)
    ] = None,
    layout: Annotated[_Layout, typer.Option(help="Skeleton layout.")] = _Layout.ma52,
    stream: Annotated[_Streams, typer.Option(help="What the checkpoint was trained on.")] = _Streams.joint,
    out: Annotated[Path, typer.Option(help="Model file to write.")] = Path("model.onnx"),
    labels: Annotated[
        Path | None, typer.Option(help="CSV with id,action,body, in output order.", show_default=False)
    ] = None,
    window_s: Annotated[
        float | None, typer.Option(help="Seconds a window spans; 2 unless the checkpoint says.", show_default=False)
    ] = None,
    confidence: Annotated[
        Path | None,
        typer.Option(help="confidence.json of 'mar-edge evaluate': what scores are worth.", show_default=False),
    ] = None,
) -> None:
    """Write the model file of a checkpoint: an ONNX graph that describes itself, checked against PyTorch."""
    require("export", "torch", "onnx", "onnxscript")
    from export.command import export_model

    print("exporting and checking; a full-size network takes about a minute ...", flush=True)
    exported = export_model(
        checkpoint,
        bone_checkpoint,
        layout_name=layout.value,
        stream=stream.value,
        out=out,
        labels_file=labels,
        window_s=window_s,
        confidence_file=confidence,
    )
    print(
        f"{exported.path}: {exported.metadata.name}, {len(exported.metadata.labels)} classes; "
        f"largest logit difference from PyTorch {exported.difference:.1e}"
    )
