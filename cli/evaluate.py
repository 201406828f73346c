"""``evaluate``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from mar_edge.cli.app import command
from mar_edge.cli.config_file import read_event_rules
from mar_edge.cli.extras import require
from mar_edge.cli.options.events import PriorChoice, chosen_prior
from mar_edge.cli.options.model import Runtime, Threads
from mar_edge.cli.participants import participant_names
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.choices import Device, Stream

_PACKAGE = Path("package")
_DATA, _CALIBRATION = "Data", "Score calibration"


@dataclass(frozen=True)
class LiveFootage:
    """How much synthetic footage the model watches live."""

    PANEL: ClassVar = "Live footage"

    streaming: Annotated[
        float, typer.Option(metavar="MINUTES", help="Minutes of live footage with one action at a time.", min=0.0)
    ] = 0.0
    idle: Annotated[
        float,
        typer.Option(metavar="MINUTES", help="Minutes of live footage without actions: false events.", min=0.0),
    ] = 0.0
    concurrent: Annotated[
        float,
        typer.Option(metavar="MINUTES", help="Minutes of live footage with several actions at once.", min=0.0),
    ] = 0.0
    seed: Annotated[int, typer.Option(metavar="N", help="Seed; the same seed gives the same footage.", min=0)] = 1
    prior: PriorChoice = None
    event_rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML file of serve --config, for its table \\[event_rules] (default: the built-in rules).",
            show_default=False,
        ),
    ] = None


@command(
    "Train and deploy",
    "evaluate model.onnx --streaming 10 --idle 10",
    "evaluate model.onnx --data truth:real",
    "evaluate run/best.pt --data corrections:FOLDER --participants P05,P06",
    "evaluate joint.pt bone.pt --data ma52:FOLDER --submission answers.zip",
    "evaluate manet.onnx --data videos:FOLDER",
    "evaluate model.onnx --data mma52:FOLDER --detection",
    "evaluate run/best.pt --streaming 30 --confidence scores.json",
)
def evaluate(
    context: typer.Context,
    *,
    model: Annotated[
        list[Path],
        typer.Argument(
            help="Model file (.onnx), checkpoint (.pt), or 'package' for the package's model; two checkpoints, joint "
            "then bone, are averaged.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the report.")] = Path("evaluation"),
    submission: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Zip to write for the challenge of MA-52.", show_default=False),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="Data set: synth, ma52:FOLDER (or ma52-test:), mma52:FOLDER, imigue:FOLDER, recordings:FOLDER, "
            "clips.npz, corrections:FOLDER or truth:FOLDER (real recordings). For models of pictures: videos:LIST or "
            "videos:FOLDER (or videos-test:).",
            rich_help_panel=_DATA,
        ),
    ] = "synth",
    participants: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Participants whose corrections to evaluate on, with commas between them (default: all).",
            show_default=False,
            rich_help_panel=_DATA,
        ),
    ] = None,
    detection: Annotated[
        bool,
        typer.Option(
            "--detection",
            help="Multi-label detection in the whole videos of mma52:FOLDER (or mma52-test:), not clips.",
            rich_help_panel=_DATA,
        ),
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV with id,action,body: names of the data's classes.",
            show_default=False,
            rich_help_panel=_DATA,
        ),
    ] = None,
    clips: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of clips, evenly spread (default: all).",
            min=1,
            show_default=False,
            rich_help_panel=_DATA,
        ),
    ] = None,
    known_only: Annotated[
        bool,
        typer.Option(
            "--known-only", help="Leave out clips of labels that the model does not know.", rich_help_panel=_DATA
        ),
    ] = False,
    live: LiveFootage,
    confidence: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Score calibration to write, for export (.json): temperature and per-label thresholds. Fitted on "
            "these clips, the thresholds on the live footage if there is any.",
            show_default=False,
            rich_help_panel=_CALIBRATION,
        ),
    ] = None,
    false_events: Annotated[
        float,
        typer.Option(
            metavar="PER_MINUTE",
            help="False events per minute that fitted thresholds may cause at most.",
            min=0.0,
            rich_help_panel=_CALIBRATION,
        ),
    ] = 1.0,
    stream: Annotated[
        Stream, typer.Option(help="Input that a published checkpoint was trained on.", rich_help_panel="Performance")
    ] = "joint",
    device: Annotated[
        Device, typer.Option(help="Device that runs checkpoints.", rich_help_panel="Performance")
    ] = "cpu",
    runtime: Runtime = "auto",
    threads: Threads = 0,
) -> None:
    """Measure the accuracy of a model, on clips and live.

    Writes a report (HTML) and all figures (JSON)."""
    require("train", "torch", "jinja2", "matplotlib")
    from mar_edge.edge.model_file import default_model_path
    from mar_edge.streaming.recognition.pipeline import PipelineRules
    from mar_edge.training.evaluation.command import EvaluateConfig
    from mar_edge.training.evaluation.command import evaluate as run_evaluation
    from mar_edge.training.evaluation.models import ModelSource
    from mar_edge.training.evaluation.summary import (
        clip_sentences,
        real_sentences,
        stream_sentences,
        trained_on_sentences,
    )

    config = EvaluateConfig(
        model=ModelSource(
            tuple(default_model_path() if path == _PACKAGE else path for path in model),
            stream,
            device,
            runtime,
            threads,
        ),
        data=data,
        out=out,
        participants=() if participants is None else participant_names(participants),
        detection=detection,
        labels_file=labels,
        clips=clips,
        known_only=known_only,
        submission=submission,
        confidence=confidence,
        false_per_minute=false_events,
        minutes=live.streaming,
        idle_minutes=live.idle,
        concurrent_minutes=live.concurrent,
        seed=live.seed,
        rules=PipelineRules(prior=chosen_prior(live.prior), events=read_event_rules(context, live.event_rules)),
    )
    with showing_progress() as progress:
        evaluation = run_evaluation(config, progress)
    if evaluation is not None:
        for sentence in trained_on_sentences(evaluation.trained_on) if evaluation.trained_on else []:
            print(sentence)
        for sentence in real_sentences(evaluation.real) if evaluation.real else []:
            print(sentence)
        for sentence in clip_sentences(evaluation.clips) if evaluation.clips else []:
            print(sentence)
        for results in filter(None, (evaluation.stream, evaluation.concurrent)):
            for sentence in stream_sentences(results):
                print(sentence)
        print(f"report: {out / 'report.html'}")
    if submission is not None:
        print(f"submission: {submission}")
    if confidence is not None:
        print(f"confidence: {confidence}")
