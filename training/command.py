"""``mar-edge train``: from options to a run. Joins the parts; prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

import mar_edge
from mar_edge.edge.choices import Encoding, Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.edge.labels import Label, read_labels
from mar_edge.edge.movements import read_movements
from mar_edge.training.base import Machine
from mar_edge.training.choices import Balance, Loss, Preset
from mar_edge.training.datasets.base import Dataset
from mar_edge.training.datasets.opening import SYNTHETIC, DataSpec, files_of, open_training, parse_spec
from mar_edge.training.datasets.rehearsal import with_synthetic
from mar_edge.training.datasets.stored import StoredDataset
from mar_edge.training.job import MmnJob
from mar_edge.training.recipe import PRESETS
from mar_edge.training.reporting import RunReporter
from mar_edge.training.run_folder import RunConfig, RunFolder
from mar_edge.training.train import open_device, train
from mar_edge.training.transfer import PACKAGE, Start, open_start

# Share of clips to mirror or reverse, where that is on.
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
    "synthetic_share",
)
_MOST_WORKERS = 16
_FROM_TRAINED = ("fine-tune", "corrections")


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The user's choices. None takes the value of the run in the folder; in a new run, that of the preset.

    An existing run resumes. Only its paths to data and its number of steps may change.

    start: checkpoint to start from. participants: whose corrections to train on; everybody's if none is named.

    preset: by default ``concurrent`` on ``synth-concurrent``, ``corrections`` on corrections, ``fine-tune`` with a
    start, ``synthetic`` on synthetic motion, ``paper`` otherwise.

    loss: by default that of the preset; ``bce`` if the start has a sigmoid output. The other fields are those of
    ``RunConfig``, ``Recipe`` and ``Augmentation``.
    """

    data: str | None = None
    validation: str | None = None
    participants: tuple[str, ...] | None = None
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
    synthetic_share: float | None = None
    mirror: bool | None = None
    reverse: bool | None = None
    seed: int | None = None


def run_training(
    run: Path,
    options: TrainOptions,
    reporter: RunReporter,
    should_stop: Callable[[], bool],
    *,
    device: Literal["cpu", "cuda"] = "cpu",
    workers: int | None = None,
    save_every: int | None = None,
    keep_all: bool = False,
) -> Path | None:
    """Start a run, or resume the one in the folder; see ``training.train.train``.

    Args:
        workers: processes that prepare batches; None chooses.
        keep_all: keep every validated checkpoint, not only the best and the last.
    """
    open_device(device)  # before the data is read
    folder = RunFolder(run)
    with folder.locked():
        job, there = _open_job(folder, options)
        check_outputs(folder.files, [*_paths(job.config).values(), *_data_files(job.config)])
        for line in _notes(job, there):
            reporter.note(line)
        if workers is None:
            workers = _useful_workers(device, job.config)
        return train(job, folder, Machine(device, workers, save_every, keep_all), reporter, should_stop)


def _open_job(folder: RunFolder, options: TrainOptions) -> tuple[MmnJob, RunConfig | None]:
    """Return the job, and the configuration of the run in the folder; None if there is none."""
    there = folder.read_config()
    if there is None:
        start = open_start(options.start) if options.start else None
        config = _configure(options, start)
    else:
        config = _changed(there, options)
        _check_there(folder, config)
        start = open_start(Path(config.start)) if config.start else None
        if options.preset is not None:
            config = _configure(options, start)
    training, validation = _open_data(config, start)
    config = msgspec.structs.replace(
        config, data_digest=_digest(training, validation), start_sha256=start.sha256 if start else ""
    )
    if isinstance(training, StoredDataset):
        # After the digest: the last bits of synthetic clips depend on the machine.
        training = with_synthetic(training, config.recipe.synthetic_share, config.seed)
    movements = read_movements(Path(config.labels_file)) if config.labels_file else {}
    return MmnJob(config, training, validation, start, movements), there


def _notes(job: MmnJob, there: RunConfig | None) -> list[str]:
    notes = []
    if there is not None and there.mar_edge_version != mar_edge.__version__:
        notes.append(
            f"started by mar-edge {there.mar_edge_version}, resumed by {mar_edge.__version__}: "
            "the result may differ from that of an uninterrupted run"
        )
    if there is not None:
        before = MmnJob(there, job.training, job.validation, job.start).steps
        if before != job.steps:
            notes.append(f"continues to step {job.steps}, not {before}; its learning rate follows the new length")
    if job.start is not None and job.start.read_as:
        notes.append(f"{job.config.start}: {job.start.read_as}")
    notes += [f"trains on {job.training.name}", f"validates on {job.validation.name}"]
    return [*notes, *(job.training.notes if isinstance(job.training, StoredDataset) else ())]


def _paths(config: RunConfig) -> dict[str, Path]:
    """Return the files and folders that a run reads, by option."""
    specs = {"--data": config.data, "--validation": config.validation}
    paths = {option: parse_spec(spec).path for option, spec in specs.items() if spec and _is_stored(spec)}
    if config.labels_file:
        paths["--labels"] = Path(config.labels_file)
    if config.start and Path(config.start) != PACKAGE:
        paths["--from"] = Path(config.start)
    return paths


def _is_stored(spec: str) -> bool:
    return parse_spec(spec).kind != "synth"


def _data_files(config: RunConfig) -> list[Path]:
    return [path for spec in (config.data, config.validation) if spec for path in files_of(spec)]


def _check_there(folder: RunFolder, config: RunConfig) -> None:
    for option, path in _paths(config).items():
        if not path.exists():
            raise MarEdgeError(
                f"the run in {folder.path} needs {path}, which does not exist; {option} names its new place"
            )


def _configure(options: TrainOptions, start: Start | None) -> RunConfig:
    """Return the configuration of a new run: the recipe, changed by the user's choices."""
    data = options.data or SYNTHETIC
    spec = parse_spec(data)
    synthetic = not _is_stored(data)
    preset = options.preset or _usual_preset(spec, start)
    if preset in _FROM_TRAINED and start is None:
        raise MarEdgeError(
            f"the recipe '{preset}' starts from a trained network; name it with --from CHECKPOINT, or --from package"
        )
    recipe = PRESETS[preset]
    if start is not None:
        if start.activation == "sigmoid" and not recipe.several_labels:
            recipe = msgspec.structs.replace(recipe, loss="bce")
        shape = _shape_of(start, _named(options))
        recipe = msgspec.structs.replace(recipe, **({"stream": start.stream or recipe.stream} | shape))
    config = _changed(RunConfig(recipe=recipe, data=data), options)
    if spec.kind == "corrections" and not config.recipe.several_labels:
        raise MarEdgeError(
            "corrections show several labels at once; leave out --loss cross-entropy, or name another loss"
        )
    if config.participants and spec.kind != "corrections":
        raise MarEdgeError(f"--participants is for corrections:FOLDER, not for {data}")
    if synthetic and config.recipe.steps is None:
        raise MarEdgeError("synthetic motion has no epochs; give a number of steps with --steps")
    return config


def _usual_preset(spec: DataSpec, start: Start | None) -> Preset:
    if spec.concurrent:
        return "concurrent"
    if spec.kind == "corrections":
        return "corrections"
    return "fine-tune" if start else "synthetic" if spec.kind == "synth" else "paper"


def _changed(config: RunConfig, options: TrainOptions) -> RunConfig:
    """Return the configuration of a run, changed by the user's choices."""
    changes = _named(options)
    if options.epochs is not None or options.steps is not None:
        changes |= {"epochs": options.epochs, "steps": options.steps, "least_steps": 0}
    augmentation = config.recipe.augmentation
    for name in ("mirror", "reverse"):
        wanted = getattr(options, name)
        if wanted is not None:
            augmentation = msgspec.structs.replace(augmentation, **{name: _HALF if wanted else 0.0})
    return msgspec.structs.replace(
        config,
        recipe=msgspec.structs.replace(config.recipe, augmentation=augmentation, **changes),
        seed=config.seed if options.seed is None else options.seed,
        data=options.data or config.data,
        validation=options.validation or config.validation,
        participants=config.participants if options.participants is None else options.participants,
        labels_file=str(options.labels) if options.labels else config.labels_file,
        start=str(options.start) if options.start else config.start,
    )


def _named(options: TrainOptions) -> dict[str, Any]:
    """Return the user's choices that are fields of the recipe."""
    return {name: value for name in _OF_RECIPE if (value := getattr(options, name)) is not None}


def _shape_of(start: Start, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of a fine-tuned network: that of its start, though its encoding may be richer."""
    shape = start.network.config
    fixed = {"encoding": shape.encoding, "width": shape.width, "depths": shape.depths}
    encodings = get_args(Encoding)
    if encodings.index(wanted.get("encoding", shape.encoding)) > encodings.index(shape.encoding):
        fixed["encoding"] = wanted["encoding"]
    for name, value in fixed.items():
        if wanted.get(name, value) != value:
            raise MarEdgeError(
                f"--{name} {wanted[name]}: a network that starts from {start.name} keeps its {name}, {value}"
            )
    return fixed


def _open_data(config: RunConfig, start: Start | None) -> tuple[Dataset, Dataset]:
    recipe = config.recipe
    labels = read_labels(Path(config.labels_file)) if config.labels_file else None
    if start is not None and parse_spec(config.data).kind == "corrections":
        labels = _extended(start.labels, labels or ())
    return open_training(
        config.data,
        config.validation,
        seed=config.seed,
        augmentation=recipe.augmentation,
        synthetic_clips=(recipe.steps or 0) * recipe.batch,
        validation_clips=recipe.validation_clips,
        validation_share=recipe.validation_share,
        labels=labels,
        participants=config.participants,
    )


def _extended(labels: tuple[Label, ...], own: tuple[Label, ...]) -> tuple[Label, ...]:
    """Return the labels of the start, and those of a label file that it does not have.

    Raises:
        MarEdgeError: a new label has the id of another one.
    """
    new = tuple(label for label in own if label.name not in {known.name for known in labels})
    taken = {label.id: label.name for label in labels}
    for label in new:
        if label.id in taken:
            raise MarEdgeError(f"--labels: '{label.name}' has the id {label.id} of '{taken[label.id]}'; choose another")
    return (*labels, *new)


def _digest(*datasets: Dataset) -> str:
    """Return the digest of data in files; synthetic motion is determined by its seed."""
    return "-".join(dataset.digest() for dataset in datasets if isinstance(dataset, StoredDataset))


def _useful_workers(device: str, config: RunConfig) -> int:
    """Return a number of workers. Batches limit a GPU; on a CPU only batches of synthetic motion are slow."""
    if device == "cuda":
        return min(max((os.cpu_count() or 1) - 1, 1), _MOST_WORKERS)
    return 1 if parse_spec(config.data).kind == "synth" else 0
