"""Measure the package's model as a start for training: five new actions, 20 clips of each.

    python benchmarks/fine_tuning.py [--clips 20] [--seed 1]

Trains the package's checkpoint on them, and the same network from nothing on the same clips by the same recipe
(``paper``, 120 epochs). Both choose their best epoch on 20 other clips of each and are evaluated on 200 more. All clips
are synthetic, of people and cameras unlike those that the package's model was trained on. The actions are rows added to
the tables for this purpose, as any new action would be.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import mar_edge.training.synth.actions as tables
from mar_edge.training.synth.actions.row import Action, Drive, Hand, Manner, Play, Which
from mar_edge.training.synth.courses import Step, Swing
from mar_edge.training.synth.places import Anchor, Part, Place
from mar_edge.training.synth.rig import Channel

C = Channel

_ABOVE = Place("above the head", Anchor.CHEST, (0.18, 0.62, 0.12), (0, 1, 0), (0, 0, 1), off_m=0.06)
_BEFORE = Place("claps", Anchor.CHEST, (0.05, 0.06, 0.3), (-0.1, 0.6, 0.8), (-1, 0, 0), Part.PALM, 0.04)

NEW_ACTIONS = (
    Action(
        60,
        "circling head",
        amplitude=(8, 25),
        body="head",
        manners=(
            Manner(
                Swing(hz=(0.45, 0.7), cycles=(1, 4)),
                (Drive(C.HEAD_PITCH), Drive(C.HEAD_ROLL, (0.8, 1.1), lag_s=(0.38, 0.5))),
            ),
        ),
    ),
    Action(
        61,
        "rocking to and fro",
        amplitude=(4, 14),
        body="body",
        manners=(Manner(Swing(hz=(0.4, 1.2), cycles=(1.5, 6)), (Drive(C.LEAN), Drive(C.HEAD_PITCH, (-0.5, 0.1)))),),
    ),
    Action(
        62,
        "leaning aside",
        amplitude=(8, 25),
        body="body",
        manners=(Manner(Step((0.4, 1.5), returns=0.3), (Drive(C.SWAY), Drive(C.CHEST_ROLL, (0.1, 0.4)))),),
    ),
    Action(
        63,
        "raising a hand",
        body="upper limb",
        manners=(
            Manner(Step((0.4, 1.2), (0.5, 3), returns=0.5, dwell_s=0.5), hands=(Hand((_ABOVE,), curl=(0.1, 0.5)),)),
        ),
    ),
    Action(
        64,
        "clapping",
        body="upper limb",
        manners=(
            Manner(
                Step((0.3, 0.9), (0.8, 3), returns=0.6, dwell_s=0.6),
                hands=(Hand((_BEFORE,), Which.BOTH, Play((1.5, 4), (0.05, 0.12), (1, 0, 0), opposite=True)),),
            ),
        ),
    ),
)
# Before the modules that look the tables up as they are imported.
tables.ACTIONS = (*tables.ACTIONS, *NEW_ACTIONS)

from mar_edge.training.command import run_training
from mar_edge.training.datasets.archive import open_archive
from mar_edge.training.datasets.stored import StoredDataset
from mar_edge.training.evaluation.clip_predictions import predict_clips
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.metrics import score
from mar_edge.training.options import TrainOptions
from mar_edge.training.reporting import RunReporter
from mar_edge.training.synth.generator import CLASSES, synthesize
from mar_edge.training.synth.world import HELD_OUT
from mar_edge.training.transfer import PACKAGE, open_start

LEARNED, CHOSEN_ON, JUDGED_ON = range(3)
JUDGED_CLIPS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description="Fine-tuning the package's model, and training from nothing.")
    parser.add_argument("--clips", type=int, default=20, help="of each action")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    shape = open_start(PACKAGE).network.config
    with tempfile.TemporaryDirectory() as folder:
        learned, chosen_on, judged_on = (
            write_clips(Path(folder) / f"{name}.npz", count, [arguments.seed, part])
            for name, count, part in (
                ("learned", arguments.clips, LEARNED),
                ("chosen", arguments.clips, CHOSEN_ON),
                ("judged", JUDGED_CLIPS, JUDGED_ON),
            )
        )
        data = {"data": str(learned), "validation": str(chosen_on), "mirror": True, "seed": arguments.seed}
        ways = {
            "from the package's model": TrainOptions(start=PACKAGE, preset="paper", **data),
            "from nothing": TrainOptions(
                preset="paper", encoding=shape.encoding, width=shape.width, depths=shape.depths, **data
            ),
        }
        print(f"{len(NEW_ACTIONS)} new actions, {arguments.clips} clips of each; {JUDGED_CLIPS} of each to classify")
        for name, options in ways.items():
            began_s = time.monotonic()
            best = run_training(Path(folder) / name, options, RunReporter(), lambda: False)
            assert best is not None
            top1, f1 = judge(best, open_archive(judged_on))
            print(f"{name:36} top-1 {top1:.3f}  macro F1 {f1:.3f}  ({time.monotonic() - began_s:.0f} s)")


def write_clips(path: Path, count: int, seed: list[int]) -> Path:
    """``count`` clips of each new action as an archive that ``mar-edge train`` takes."""
    labels = [label for label in CLASSES if label.id in {action.id for action in NEW_ACTIONS}]
    batches = [
        synthesize(seed[0], 1000 * seed[1] + k, count, classes=(label,), world=HELD_OUT)
        for k, label in enumerate(labels)
    ]
    np.savez(
        path,
        joints=np.concatenate([batch.joints for batch in batches]),
        duration_s=np.concatenate([batch.duration_s for batch in batches]),
        labels=np.repeat(np.arange(len(labels)), count),
        classes=np.array([label.name for label in labels]),
    )
    return path


def judge(checkpoint: Path, clips: StoredDataset) -> tuple[float, float]:
    """Top-1 and macro F1."""
    with ModelSource((checkpoint,)).open(clips.layout) as recognizer:
        predictions = predict_clips(recognizer, clips, lambda *_: None)
    scores = score(predictions.logits, predictions.labels)
    return scores.top1, scores.f1_macro


if __name__ == "__main__":
    main()
