"""``mar-edge train``: from options to a run. Joins the parts; prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

import edge
from edge.errors import MarEdgeError
from edge.labels import read_labels
from edge.model_file import Encoding, Stream
from training.datasets.base import Dataset
from training.datasets.opening import SYNTHETIC, open_training, parse_spec
from training.datasets.stored import StoredDataset
from training.job import Job
from training.recipe import PRESETS, Balance, Loss, Preset, Recipe
from training.reporting import Report
from training.run_folder import RunConfig, RunFolder
from training.train import Machine, open_device, train
from training.transfer import Start, open_start

# Half of the clips, where they are mirrored or run backwards at all.
_HALF = 0.5
# Options that are fields of the recipe.
_OF_RECIPE = (
    "stream",
    "encoding",
    "width",
    "depths",
    "batch",
    "lr",
    "weight_decay",
    "drop_path",
    "balance",
    "loss",
)
_MOST_WORKERS = 16


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What the user asked for; None is what the preset says, and of all of them: what the run in the folder is.

    start: checkpoint to begin from. preset: by default ``concurrent`` on ``synth-concurrent``, else ``fine-tune`` with
    a start, ``synthetic`` on synthetic motion, else ``paper``. loss: that of the preset, but ``bce`` after a start that
    says each label by itself. The rest as in ``RunConfig``, ``Recipe`` and ``Augmentation``.
    """

    data: str | None = None
    validation: str | None = None
    labels: Path | None = None
    start: Path | None = None
    preset: Preset | None = None
    stream: Stream | None = None
    encoding: Encoding | None = None
    width: int | None = None
    depths: tuple[int, int, int, int] | None = None
    epochs: int | None = None
    steps: int | None = None
    batch: int | None = None
    lr: float | None = None
    weight_decay: float | None = None
    drop_path: float | None = None
    balance: Balance | None = None
    loss: Loss | None = None
    mirror: bool | None = None
    reverse: bool | None = None
    seed: int | None = None


def run_training(
    run: Path,
    options: TrainOptions,
    report: Report,
    should_stop: Callable[[], bool],
    *,
    device: Literal["cpu", "cuda"] = "cpu",
    workers: int | None = None,
    save_every: int | None = None,
    keep_all: bool = False,
) -> Path | None:
    """Begin a run, or go on with the one in the folder; see ``training.train.train``.

    Args:
        workers: processes that prepare batches; None takes as many as pay.
        keep_all: every validated checkpoint is kept, not only the best and the last.
    """
    open_device(device)  # before the data is read
    folder = RunFolder(run)
    there = folder.read_config()
    if there is not None and options == TrainOptions():
        config, start = there, open_start(Path(there.start)) if there.start else None
    else:
        start = open_start(options.start) if options.start else None
        config = _configure(options, start)
    training, validation = _open_data(config)
    config = msgspec.structs.replace(
        config, data_digest=_digest(training, validation), start_sha256=start.sha256 if start else ""
    )
    job = Job(config, training, validation, start)
    if there is not None and there.mar_edge_version != edge.__version__:
        report.note(
            f"begun by mar-edge {there.mar_edge_version}, gone on with by {edge.__version__}: "
            "the result may differ from that of an unbroken run"
        )
    report.note(f"learns from {training.name}")
    report.note(f"validates on {validation.name}")
    if workers is None:
        workers = _workers_that_pay(device, config)
    return train(job, folder, Machine(device, workers, save_every, keep_all), report, should_stop)


def _configure(options: TrainOptions, start: Start | None) -> RunConfig:
    data = options.data or SYNTHETIC
    spec = parse_spec(data)
    synthetic = spec.kind == "synth"
    usual: Preset = "concurrent" if spec.concurrent else "fine-tune" if start else "synthetic" if synthetic else "paper"
    preset = options.preset or usual
    if preset == "fine-tune" and start is None:
        raise MarEdgeError("the recipe 'fine-tune' begins from a trained network; name it with --from CHECKPOINT")
    changes: dict[str, Any] = {name: value for name in _OF_RECIPE if (value := getattr(options, name)) is not None}
    if options.epochs is not None or options.steps is not None:
        changes |= {"epochs": options.epochs, "steps": options.steps, "least_steps": 0}
    if start is not None:
        if start.activation == "sigmoid" and not PRESETS[preset].several_labels:
            changes = {"loss": "bce"} | changes
        changes = {"stream": start.stream or PRESETS[preset].stream} | changes | _shape_of(start, changes)
    augmentation = PRESETS[preset].augmentation
    for name in ("mirror", "reverse"):
        wanted = getattr(options, name)
        if wanted is not None:
            augmentation = msgspec.structs.replace(augmentation, **{name: _HALF if wanted else 0.0})
    recipe: Recipe = msgspec.structs.replace(PRESETS[preset], augmentation=augmentation, **changes)
    if synthetic and recipe.steps is None:
        raise MarEdgeError("synthetic motion has no end and so no epochs; say how long with --steps")
    return RunConfig(
        recipe=recipe,
        seed=1 if options.seed is None else options.seed,
        data=data,
        validation=options.validation,
        labels_file=str(options.labels) if options.labels else None,
        start=str(options.start) if options.start else None,
    )


def _shape_of(start: Start, asked: dict[str, Any]) -> dict[str, Any]:
    """A fine-tuned network has the shape of the one it begins from, though it may encode more."""
    shape = start.network.config
    fixed = {"encoding": shape.encoding, "width": shape.width, "depths": shape.depths}
    encodings = get_args(Encoding)
    if encodings.index(asked.get("encoding", shape.encoding)) > encodings.index(shape.encoding):
        fixed["encoding"] = asked["encoding"]
    for name, value in fixed.items():
        if asked.get(name, value) != value:
            raise MarEdgeError(f"--{name} {asked[name]}: what begins from {start.name} keeps its {name}, {value}")
    return fixed


def _open_data(config: RunConfig) -> tuple[Dataset, Dataset]:
    recipe = config.recipe
    return open_training(
        config.data,
        config.validation,
        seed=config.seed,
        augmentation=recipe.augmentation,
        synthetic_clips=(recipe.steps or 0) * recipe.batch,
        validation_clips=recipe.validation_clips,
        validation_share=recipe.validation_share,
        labels=read_labels(Path(config.labels_file)) if config.labels_file else None,
    )


def _digest(*datasets: Dataset) -> str:
    """Of what lies in files; synthetic motion is what its seed says."""
    return "-".join(dataset.digest() for dataset in datasets if isinstance(dataset, StoredDataset))


def _workers_that_pay(device: str, config: RunConfig) -> int:
    """On a GPU, the batches are the bottleneck; on a CPU only those of synthetic motion cost more than a glance."""
    if device == "cuda":
        return min(max((os.cpu_count() or 1) - 1, 1), _MOST_WORKERS)
    return 1 if parse_spec(config.data).kind == "synth" else 0
