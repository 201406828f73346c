"""``bench``."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli import app
from mar_edge.cli.bench_reports import print_environment, write_json
from mar_edge.cli.benching_pose import bench_pose
from mar_edge.cli.lists import batch_sizes, whole_numbers
from mar_edge.cli.posing import Detector, Mirror, PoseOptions
from mar_edge.cli.progress import showing_progress
from mar_edge.cli.running import Runtime
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs

if TYPE_CHECKING:
    from mar_edge.cli.bench import Inputs, Report
    from mar_edge.edge.choices import RuntimeName

_VERIFY_BATCH = 16
_SEED = 5_000_011


@app.command()
def bench(
    model: Annotated[
        list[Path] | None, typer.Argument(help="Model files; without any the one in the package.", show_default=False)
    ] = None,
    runtime: Annotated[
        list[Runtime] | None, typer.Option(help="May be repeated.  [default: auto]", show_default=False)
    ] = None,
    batch: Annotated[str, typer.Option(help="Windows in one inference.")] = "1,4,8",
    rounds: Annotated[
        int | None,
        typer.Option(
            help="Inferences of each that are timed.  [default: 100; 20 with --pose]", min=1, show_default=False
        ),
    ] = None,
    threads: Annotated[int, typer.Option(help="Of one inference on a CPU; 0 takes every core.", min=0)] = 0,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare all with the first, a FP32 file, on synthetic windows.")
    ] = False,
    windows: Annotated[int, typer.Option(help="Of --verify.", min=1)] = 256,
    pose: Annotated[
        str | None,
        typer.Option(help="Time this pose stage instead: holistic, a name, or an ONNX file.", show_default=False),
    ] = None,
    detector: Detector = None,
    people: Annotated[str, typer.Option(help="Of --pose: how many, side by side.")] = "1,2,4,8",
    image: Annotated[
        Path | None,
        typer.Option(help="Of --pose: a picture.  [default: noise; the demo's for holistic]", show_default=False),
    ] = None,
    mirror: Mirror = None,
    json: Annotated[Path | None, typer.Option(help="Write every figure there.", show_default=False)] = None,
) -> None:
    """Time model files on runtimes, side by side in one run: every file on every runtime that is named.

    With --pose, each stage of a pose model instead, for each number of people.
    """
    check_outputs([json], [*(model or []), image, *map(Path, filter(None, (pose, detector)))])
    if pose is not None:
        if model or verify:
            raise MarEdgeError("bench times model files or, with --pose, a pose stage; not both at once")
        names: list[RuntimeName] = [name.value for name in runtime or [Runtime.auto]]
        options = PoseOptions(pose, detector, mirror=mirror)
        crowds = sorted(set(whole_numbers("--people", people, "1,2,4,8")))
        bench_pose(options, names, crowds, image, rounds or 20, threads, json)
        return
    if detector is not None or image is not None or mirror is not None:
        raise MarEdgeError("--detector, --image and --mirror go with --pose")
    rounds = rounds or 100
    from mar_edge.cli.bench import Report, environment, open_candidate, time_candidates
    from mar_edge.cli.bench import verify as compare
    from mar_edge.edge.model_file import default_model_path

    sizes = batch_sizes(batch)
    models = model or [default_model_path()]
    inputs = _Windows(max(sizes))
    found = environment(threads)
    with ExitStack() as stack, showing_progress() as progress:
        candidates = []
        for path in models:
            for name in runtime or [Runtime.auto]:
                candidates.append(open_candidate(path, name.value, threads, inputs.of, progress))
                stack.enter_context(candidates[-1].runtime)
        rows = time_candidates(candidates, inputs.of, sizes, rounds, progress)
        layout = candidates[0].metadata.layout
        checked = compare(candidates, lambda: _Windows(windows).batches(layout)) if verify else ()
    report = Report(environment=found, rounds=rounds, rows=rows, agreements=checked)
    _print(report)
    write_json(report, json)


class _Windows:
    """Synthetic people, the same ones every time: ``count`` windows."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._made: dict[str, Inputs] = {}

    def of(self, layout: str) -> Inputs:
        """As inputs of a model of that layout. Of one that is not synthesised here, motion of its number of joints."""
        import numpy as np

        from mar_edge.edge.layout import load_layout
        from mar_edge.training.datasets.synthetic import SyntheticDataset
        from mar_edge.training.synth.world import HELD_OUT

        if layout not in self._made:
            people = SyntheticDataset(_SEED, self.count, world=HELD_OUT).batch(np.arange(self.count))
            V = load_layout(layout).num_joints
            joints = np.resize(np.arange(people.skeleton.shape[2]), V)
            self._made[layout] = {
                "skeleton": np.ascontiguousarray(people.skeleton[:, :, joints]),
                "index_t": people.index_t,
            }
        return self._made[layout]

    def batches(self, layout: str) -> list[Inputs]:
        """The same, a few at a time."""
        made = self.of(layout)
        starts = range(0, self.count, _VERIFY_BATCH)
        return [{name: array[i : i + _VERIFY_BATCH] for name, array in made.items()} for i in starts]


def _print(report: Report) -> None:
    print_environment(report.environment)
    name, on = (max(len(getattr(row, field)) for row in report.rows) for field in ("model", "runtime"))
    print(f"{'model':<{name}}  {'runtime':<{on}}  prec  batch   p50 ms   p95 ms   p99 ms  windows/s  memory")
    for row in report.rows:
        memory = "     -" if row.memory_mb is None else f"{row.memory_mb:4.0f} MB"
        print(
            f"{row.model:<{name}}  {row.runtime:<{on}}  {row.precision}  {row.batch:>5}  {row.p50_ms:7.2f}  "
            f"{row.p95_ms:7.2f}  {row.p99_ms:7.2f}  {row.windows_per_s:9.1f}  {memory}"
        )
    for checked in report.agreements:
        error = checked.largest_logit_error
        size = "not a number" if math.isnan(error) else f"{error:.1e}"
        print(
            f"{checked.model:<{name}}  {checked.runtime:<{on}}  same label on {100 * checked.agreement:.2f} % of "
            f"{checked.windows} windows, largest logit difference {size}"
        )
