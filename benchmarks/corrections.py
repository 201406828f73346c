"""Measure fine-tuning on what a coder corrected: twenty minutes of four people, evaluated on five others.

    python benchmarks/corrections.py [--actions ten|all] [--recipe corrections|fine-tune] [--seed 1]

The people are synthetic, all in one laboratory. Its camera is high up and far to the side, as the package's model saw
few. They do ten of the 52 actions, as a study's task would have it, or all of them. The package's model reports events,
as ``analyze`` records them. A simulated coder corrects all of them. Wrong ones are rejected, wrong labels and edges
changed, missed ones added. The whole recording is marked as reviewed. Then ``mar-edge train --from package --data
corrections:FOLDER`` runs for 200 steps. Its last checkpoint and the package's model are evaluated on 90 s of each of
the other people, and on 20 s without an action.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import numpy as np

from mar_edge.edge.data import Skeleton
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.progress import silent
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.message_builders import skeleton_messages, step_messages
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules
from mar_edge.streaming.recording.corrections import CORRECTIONS_FILE, Correction, write_corrections
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, HelloMessage
from mar_edge.training.command import run_training
from mar_edge.training.evaluation.command import EvaluateConfig, evaluate
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.evaluation.real_results import RealResults
from mar_edge.training.options import TrainOptions
from mar_edge.training.reporting import RunReporter
from mar_edge.training.synth.events import TrueEvent
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.recording import Recording, record
from mar_edge.training.synth.world import HELD_OUT
from mar_edge.training.transfer import PACKAGE

LAB = replace(
    HELD_OUT,
    desk=0.0,
    standing_to_hips=0.0,
    yaw_deg=(35, 50),
    far_yaw_deg=(35, 50),
    room_m=(2.5, 3.5),
    room_height_m=(1.9, 2.2),
    room_fill=(0.5, 0.8),
    room_to_hips=0.0,
    room_crop=0.0,
    moving_camera=0.0,
    camera_fps=(24, 26),
)
# What a study's task may make people do. The package's model expects all 52 actions, as often as in interviews.
ACTIONS = (
    "nodding",
    "shaking head",
    "turning head",
    "shrugging",
    "rubbing hands",
    "crossing arms",
    "scratching or touching face",
    "covering mouth",
    "shaking legs",
    "stretching feet",
)
FPS = 25.0
CORRECTED_S, EVALUATED_S, IDLE_S = 300.0, 90.0, 20.0
STREAM, CODER = "lab", "simulated"
ZERO_NS = 1_700_000_000 * NS
_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fine-tuning the package's model on a coder's corrections.")
    parser.add_argument("--actions", choices=("ten", "all"), default="ten", help="what the people do")
    parser.add_argument("--recipe", choices=("corrections", "fine-tune"), default="corrections")
    parser.add_argument("--people", type=int, default=4, help="people whose recordings are corrected, 5 minutes each")
    parser.add_argument("--others", type=int, default=5, help="people to evaluate on")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    labels = [label for label in CLASSES if arguments.actions == "all" or label.name in ACTIONS]
    with tempfile.TemporaryDirectory() as place:
        corrected, others, run = Path(place) / "corrected", Path(place) / "others", Path(place) / "run"
        first = 1000 * arguments.seed
        write_lab(corrected, range(first, first + arguments.people), labels, CORRECTED_S)
        write_lab(others, range(first + 500, first + 500 + arguments.others), labels, EVALUATED_S, idle_s=IDLE_S)
        began_s = time.monotonic()
        options = TrainOptions(
            start=PACKAGE,
            data=f"corrections:{corrected}",
            preset=arguments.recipe,
            steps=200,
            seed=arguments.seed,
        )
        run_training(run, options, RunReporter(), lambda: False)
        print(f"trained in {time.monotonic() - began_s:.0f} s")
        print(line("before", judge(default_model_path(), others)))
        print(line("after", judge(run / "last.pt", others)))


def line(name: str, results: RealResults) -> str:
    """Return the figures of a model in one line."""
    ranks, loose, strict = results.overall, results.level("name", 0.3), results.level("name", 0.5)
    return (
        f"{name:10} top-1 {ranks.top1 / ranks.actions:.3f} of {ranks.actions}; F1 {loose.f1:.3f} (overlap 0.3), "
        f"{strict.f1:.3f} (0.5); precision {loose.precision:.3f}, recall {loose.recall:.3f}; "
        f"{sum(results.false.values())} false events in {results.nothing_minutes:.1f} minutes without an action"
    )


def judge(model: Path, folder: Path) -> RealResults:
    """Evaluate a model as ``mar-edge evaluate --data corrections:FOLDER`` does."""
    config = EvaluateConfig(ModelSource((model,)), f"corrections:{folder}", folder.parent / f"report-{model.stem}")
    evaluation = evaluate(config, silent)
    assert evaluation is not None
    assert evaluation.real is not None
    return evaluation.real


def write_lab(
    folder: Path, people: Sequence[int], labels: Sequence[Label], duration_s: float, idle_s: float = 0.0
) -> None:
    """Write the recordings of these people, who do these actions, and the corrections of all of their events."""
    folder.mkdir(parents=True)
    rows: list[Correction] = []
    with WindowRecognizer.open(default_model_path(), threads=1) as recognizer:
        for person in people:
            for idle, lasts_s in ((False, duration_s), (True, idle_s)):
                if not lasts_s:
                    continue
                taken = record(
                    person,
                    duration_s=lasts_s,
                    fps=FPS,
                    world=LAB,
                    labels=labels,
                    concurrent=not idle,
                    idle=idle,
                )
                name = f"person{person}{'-idle' * idle}.jsonl"
                messages = list(analyzed(taken, recognizer, run=name))
                (folder / name).write_bytes(b"".join(encode(message) + b"\n" for message in messages))
                rows += corrections(name, taken, messages)
    write_corrections(folder / CORRECTIONS_FILE, rows)


def analyzed(taken: Recording, recognizer: WindowRecognizer, run: str) -> Iterator[AnyMessage]:
    """Yield the messages of a recording: hello, skeletons and the events that the model reports."""
    pipeline, timer = Pipeline(recognizer, PipelineRules(), Timer()), Timer()
    number = 0

    def numbered(message: AnyMessage) -> AnyMessage:
        nonlocal number
        number += 1
        return msgspec.structs.replace(message, stream=STREAM, run=run, seq=number - 1, kind_seq=number - 1)

    yield numbered(hello(taken, recognizer))
    frame = Frame(0, ZERO_NS, 0, 0.0, _NO_IMAGE)
    for i, t_s in enumerate(taken.t.tolist()):
        frame = Frame(i, ZERO_NS + round(t_s * NS), 0, t_s, _NO_IMAGE)
        people = (Skeleton(taken.joints[i], taken.scores[i], 0),)
        yield from map(numbered, skeleton_messages(frame, people))
        yield from events_of(
            map(numbered, step_messages(frame, pipeline.push(t_s, people), pipeline, top_k=1, timer=timer))
        )
    yield from events_of(
        map(numbered, step_messages(frame, pipeline.finish(infer=True), pipeline, top_k=1, timer=timer))
    )


def events_of(messages: Iterator[AnyMessage]) -> Iterator[AnyMessage]:
    """Leave out labels, which nothing here reads."""
    return (message for message in messages if isinstance(message, EventMessage))


def hello(taken: Recording, recognizer: WindowRecognizer) -> HelloMessage:
    """Describe the recording."""
    metadata = recognizer.metadata
    return HelloMessage(
        source="synthetic",
        size=taken.size,
        fps=FPS,
        t_zero_ns=ZERO_NS,
        model=metadata.name,
        precision=metadata.precision,
        layout=metadata.layout,
        joints=load_layout(metadata.layout).joints,
        labels=metadata.labels,
        background=metadata.background,
        window_s=metadata.window_s,
        stride_s=0.2,
        on_thresholds=(),
        off_thresholds=(),
        pose="synthetic",
        runtime=recognizer.runtime.name,
        versions={},
    )


def corrections(name: str, taken: Recording, messages: Sequence[AnyMessage]) -> Iterator[Correction]:
    """Yield what a coder who knows the truth decides about every event, and that all of the recording was reviewed."""
    reported = {
        message.event_id: (message.label.name, (message.t_start_ns - ZERO_NS) / NS, (message.t_end_ns - ZERO_NS) / NS)
        for message in messages
        if isinstance(message, EventMessage) and message.t_end_ns is not None
    }
    now = datetime.now(timezone.utc)
    blank = Correction(
        name, STREAM, name, None, None, "reviewed", "", 0.0, float(taken.t[-1]), "", None, None, CODER, now
    )
    yield blank
    left = dict(enumerate(taken.events))
    # The right label first, so that another one is not changed to it.
    pairs = sorted(
        (
            (event.label.name == reported[i][0], overlap(event, *reported[i][1:]), i, j)
            for i in reported
            for j, event in left.items()
        ),
        reverse=True,
    )
    decided: dict[int, TrueEvent] = {}
    for _, shared, i, j in pairs:
        if shared >= 0.3 and i not in decided and j in left:
            decided[i] = left.pop(j)
    for i, (label, start_s, end_s) in reported.items():
        machine = {"machine_label": label, "machine_start_s": start_s, "machine_end_s": end_s}
        about = replace(
            blank, event_id=i, person=0, status="rejected", label=label, start_s=start_s, end_s=end_s, **machine
        )
        if i in decided:
            true = decided[i]
            about = replace(about, status="changed", label=true.label.name, start_s=true.t_start, end_s=true.t_end)
        yield about
    for j, event in left.items():
        yield replace(
            blank,
            event_id=-1 - j,
            person=0,
            status="added",
            label=event.label.name,
            start_s=event.t_start,
            end_s=event.t_end,
        )


def overlap(event: TrueEvent, start_s: float, end_s: float) -> float:
    """Return the intersection over union of their times."""
    together = min(event.t_end, end_s) - max(event.t_start, start_s)
    return max(together, 0.0) / (max(event.t_end, end_s) - min(event.t_start, start_s))


if __name__ == "__main__":
    main()
