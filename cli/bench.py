"""``bench``."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, get_args

import typer

from mar_edge.cli.app import command
from mar_edge.cli.bench_pose import bench_pose
from mar_edge.cli.bench_report import print_environment, write_json
from mar_edge.cli.number_lists import batch_sizes, whole_numbers
from mar_edge.cli.options.model import Threads
from mar_edge.cli.options.pose import Detector, Mirror
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.edge.pose.choice import PoseConfig

if TYPE_CHECKING:
    from mar_edge.cli.model_timing import Inputs, Report
    from mar_edge.edge.model_file import ModelMetadata

_VERIFY_BATCH = 16
_SEED = 5_000_011
_AUTO: RuntimeName = "auto"


@dataclass(frozen=True)
class _ModelTiming:
    PANEL: ClassVar = "Model files"

    batch: Annotated[str, typer.Option(metavar="N,N,N", help="Numbers of windows in one inference.")] = "1,4,8"
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Compare all with the first, an FP32 file, on synthetic windows."),
    ] = False
    windows: Annotated[int, typer.Option(metavar="N", help="Number of windows of --verify.", min=1)] = 256


@dataclass(frozen=True)
class _PoseTiming:
    PANEL: ClassVar = "Pose stage"

    pose: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|FOLDER",
            help="Pose stage to time instead: holistic, a known model, an ONNX file, or a folder of holistic networks.",
            show_default=False,
        ),
    ] = None
    detector: Detector = None
    people: Annotated[str, typer.Option(metavar="N,N,N", help="Numbers of people, side by side.")] = "1,2,4,8"
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Picture (default: noise; that of the demo for holistic).",
            show_default=False,
        ),
    ] = None
    mirror: Mirror = None


@command(
    "Inspect",
    "bench",
    "bench model.onnx model-int8.onnx --runtime openvino --verify",
    "bench --pose holistic --people 1,2",
)
def bench(
    *,
    model: Annotated[
        list[Path] | None,
        typer.Argument(help="Model files (default: the one in the package).", show_default=False),
    ] = None,
    runtime: Annotated[
        list[RuntimeName] | None,
        typer.Option(
            metavar="NAME",
            help=f"Runtime: {', '.join(get_args(RuntimeName))} (default: auto). May be repeated.",
            show_default=False,
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of timed inferences of each (default: 100; 20 with --pose).",
            min=1,
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON file to write, with every figure.", show_default=False)
    ] = None,
    timing: _ModelTiming,
    stage: _PoseTiming,
    threads: Threads = 0,
) -> None:
    """Measure latency and throughput of models and pose stages.

    Every file is timed on every runtime, side by side in one run. With --pose, each stage of a pose model is timed
    instead, for each number of people.
    """
    check_outputs([json], [*(model or []), stage.image, *map(Path, filter(None, (stage.pose, stage.detector)))])
    runtimes = runtime or [_AUTO]
    if stage.pose is not None:
        if model or timing.verify:
            raise MarEdgeError("bench times model files or, with --pose, a pose stage; not both at once")
        options = PoseConfig(stage.pose, stage.detector, mirror=stage.mirror)
        crowds = sorted(set(whole_numbers("--people", stage.people, "1,2,4,8")))
        bench_pose(options, runtimes, crowds, stage.image, rounds or 20, threads, json)
        return
    if stage.detector is not None or stage.image is not None or stage.mirror is not None:
        raise MarEdgeError("--detector, --image and --mirror go with --pose")
    rounds = rounds or 100
    from mar_edge.cli.model_timing import Report, environment, open_candidate, time_candidates
    from mar_edge.cli.model_timing import verify as compare
    from mar_edge.edge.model_file import default_model_path

    sizes = batch_sizes(timing.batch)
    models = model or [default_model_path()]
    inputs = _Windows(max(sizes))
    found = environment(threads)
    with ExitStack() as stack, showing_progress() as progress:
        candidates = []
        for path in models:
            for name in runtimes:
                candidates.append(open_candidate(path, name, threads, inputs.of, progress))
                stack.enter_context(candidates[-1].runtime)
        rows = time_candidates(candidates, inputs.of, sizes, rounds, progress)
        first = candidates[0].metadata
        checked = compare(candidates, lambda: _Windows(timing.windows).batches(first)) if timing.verify else ()
    report = Report(environment=found, rounds=rounds, rows=rows, agreements=checked)
    _print(report)
    write_json(report, json)


class _Windows:
    """Windows of synthetic people, the same every time, or clips of noise: ``count`` of them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._made: dict[str, Inputs] = {}

    def of(self, metadata: ModelMetadata) -> Inputs:
        """Return inputs of a model. Where its layout is not synthesized, they have its number of joints."""
        import numpy as np

        if metadata.family == "manet":
            return self._pictures()
        layout = metadata.layout
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

    def _pictures(self) -> Inputs:
        import numpy as np

        from mar_edge.edge.pictures import SEGMENTS, SIDE

        shape = (self.count, SEGMENTS, SIDE, SIDE, 3)
        return {"frames": np.random.default_rng(_SEED).integers(0, 256, shape, dtype=np.uint8)}

    def batches(self, metadata: ModelMetadata) -> list[Inputs]:
        """Return the same in small batches."""
        made = self.of(metadata)
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
