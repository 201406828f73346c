"""``mar-edge train``: from options to a run. Joins the parts; prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import mar_edge
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.training import configure
from mar_edge.training.base import Job, Machine
from mar_edge.training.datasets.opening import SYNTHETIC, files_of, parse_spec
from mar_edge.training.options import TrainOptions, changed, check_suitable
from mar_edge.training.pictures import configure as configure_pictures
from mar_edge.training.pictures.recipe import ManetRecipe
from mar_edge.training.reporting import RunReporter
from mar_edge.training.run_folder import RunConfig, RunFolder
from mar_edge.training.train import open_device, train
from mar_edge.training.transfer import PACKAGE

_MOST_WORKERS = 16


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


def _open_job(folder: RunFolder, options: TrainOptions) -> tuple[Job[Any], RunConfig | None]:
    """Return the job, and the configuration of the run in the folder; None if there is none."""
    there = folder.read_config()
    data = options.data or (there.data if there else SYNTHETIC)
    pictures = parse_spec(data).kind == "videos"
    if there is not None and pictures != isinstance(there.recipe, ManetRecipe):
        raise MarEdgeError(f"the run in {folder.path} trains on {there.data}, not on {data}; name another folder")
    check_suitable(options, pictures=pictures)
    config = None
    if there is not None:
        config = changed(there, options)
        _check_there(folder, config)
    opened = configure_pictures.open_job if pictures else configure.open_job
    return opened(config, options), there


def _notes(job: Job[Any], there: RunConfig | None) -> list[str]:
    notes = []
    if there is not None and there.mar_edge_version != mar_edge.__version__:
        notes.append(
            f"started by mar-edge {there.mar_edge_version}, resumed by {mar_edge.__version__}: "
            "the result may differ from that of an uninterrupted run"
        )
    if there is not None:
        before = there.recipe.run_steps(job.plan.per_epoch)
        if before != job.steps:
            notes.append(f"continues to step {job.steps}, not {before}; its learning rate follows the new length")
    return notes + job.notes()


def _paths(config: RunConfig) -> dict[str, Path]:
    """Return the files and folders that a run reads, by option."""
    specs = {"--data": config.data, "--validation": config.validation}
    paths = {option: parse_spec(spec).path for option, spec in specs.items() if spec and _is_stored(spec)}
    if config.labels_file:
        paths["--labels"] = Path(config.labels_file)
    if config.words:
        paths["--words"] = Path(config.words)
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


def _useful_workers(device: str, config: RunConfig) -> int:
    """Return a number of workers. Batches limit a GPU; on a CPU, only those that are made or decoded are slow."""
    if device == "cuda":
        return min(max((os.cpu_count() or 1) - 1, 1), _MOST_WORKERS)
    return 1 if parse_spec(config.data).kind in {"synth", "videos"} else 0
