"""``evaluate``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli import app
from mar_edge.cli.extras import require
from mar_edge.cli.progress import showing_progress
from mar_edge.cli.running import PriorChoice, Runtime, chosen_prior


class _Stream(str, Enum):
    joint = "joint"
    bone = "bone"


class _Device(str, Enum):
    cpu = "cpu"
    cuda = "cuda"


@app.command()
def evaluate(
    model: Annotated[
        list[Path],
        typer.Argument(help="Model file (.onnx) or checkpoint (.pt); two checkpoints, joint then bone, are averaged."),
    ],
    data: Annotated[
        str,
        typer.Option(
            help="synth, ma52:FOLDER (or ma52-test:), imigue:FOLDER, recordings:FOLDER, clips.npz, truth:FOLDER."
        ),
    ] = "synth",
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("evaluation"),
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV with id,action,body: what the data's classes are called.", show_default=False),
    ] = None,
    clips: Annotated[
        int | None,
        typer.Option(help="So many of the data's clips, evenly spread; else all.", min=1, show_default=False),
    ] = None,
    known_only: Annotated[
        bool, typer.Option("--known-only", help="Leave out clips of labels that the model does not know.")
    ] = False,
    streaming: Annotated[
        float, typer.Option(metavar="MINUTES", help="Live footage with actions to watch as well.", min=0.0)
    ] = 0.0,
    idle: Annotated[
        float, typer.Option(metavar="MINUTES", help="Live footage without any, to count false events.", min=0.0)
    ] = 0.0,
    concurrent: Annotated[
        float,
        typer.Option(metavar="MINUTES", help="Live footage of people who do several things at once.", min=0.0),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same footage.", min=0)] = 1,
    submission: Annotated[
        Path | None, typer.Option(help="Write the answers as MA-52's challenge takes them (.zip).", show_default=False)
    ] = None,
    confidence: Annotated[
        Path | None,
        typer.Option(
            help="Fit temperature and per-label thresholds, and write them, for export (.json): on these clips, the "
            "thresholds on the live footage where there is any.",
            show_default=False,
        ),
    ] = None,
    false_events: Annotated[
        float,
        typer.Option(metavar="PER_MINUTE", help="Limit for thresholds that are fitted on live footage.", min=0.0),
    ] = 1.0,
    prior: PriorChoice = None,
    stream: Annotated[_Stream, typer.Option(help="Of one published checkpoint: trained on.")] = _Stream.joint,
    device: Annotated[_Device, typer.Option(help="Where checkpoints run.")] = _Device.cpu,
    runtime: Annotated[Runtime, typer.Option(help="What runs model files.")] = Runtime.auto,
    threads: Annotated[int, typer.Option(help="Within one inference; 0 takes every core.", min=0)] = 0,
) -> None:
    """How good a model is on a data set, and live: a report to read, and every figure as JSON."""
    require("train", "torch", "jinja2", "matplotlib")
    from mar_edge.streaming.recognition.pipeline import PipelineRules
    from mar_edge.training.evaluation.command import EvaluateConfig
    from mar_edge.training.evaluation.command import evaluate as run_evaluation
    from mar_edge.training.evaluation.models import ModelSource
    from mar_edge.training.evaluation.words import clip_sentences, real_sentences, stream_sentences

    config = EvaluateConfig(
        model=ModelSource(tuple(model), stream.value, device.value, runtime.value, threads),
        data=data,
        out=out,
        labels_file=labels,
        clips=clips,
        known_only=known_only,
        submission=submission,
        confidence=confidence,
        false_per_minute=false_events,
        minutes=streaming,
        idle_minutes=idle,
        concurrent_minutes=concurrent,
        seed=seed,
        rules=PipelineRules(prior=chosen_prior(prior)),
    )
    with showing_progress() as progress:
        evaluation = run_evaluation(config, progress)
    if evaluation is not None:
        for sentence in real_sentences(evaluation.real) if evaluation.real else []:
            print(sentence)
        for sentence in clip_sentences(evaluation.clips) if evaluation.clips else []:
            print(sentence)
        for sentence in stream_sentences(evaluation.stream) if evaluation.stream else []:
            print(sentence)
        for sentence in stream_sentences(evaluation.concurrent) if evaluation.concurrent else []:
            print(sentence)
        print(f"report: {out / 'report.html'}")
    if submission is not None:
        print(f"submission: {submission}")
    if confidence is not None:
        print(f"confidence: {confidence}")
