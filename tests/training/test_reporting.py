"""Progress of a run in a log, a terminal and TensorBoard."""

import io

from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mar_edge.training import reporting
from mar_edge.training.reporting import BarReporter, CombinedReporter, LineReporter, TensorBoardReporter
from mar_edge.training.run_folder import ValidationRecord

VALIDATION = ValidationRecord(step=20, epoch=2.0, loss=1.5, lr=1e-3, top1=0.25, f1_macro=0.125, elapsed_s=61.2)
LINE = "step 20/40  loss 1.500  held-out top-1 0.250  macro F1 0.125  61 s"


def test_a_log_has_a_line_per_validation_and_per_minute(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with LineReporter(out) as reporter:
        reporter.note("trains on something")
        for step, seconds in ((10, 30), (20, 59), (30, 61), (40, 62), (50, 122)):
            now[0] = 1000.0 + seconds
            reporter.step(step, 40, 2.0, 1e-3)
        reporter.validated(VALIDATION, 40)
    assert out.getvalue().splitlines() == [
        "trains on something",
        "step 30/40  loss 2.000",
        "step 50/40  loss 2.000",
        LINE,
    ]


def test_a_terminal_shows_a_bar_below_the_lines():
    out = io.StringIO()
    with BarReporter(Console(file=out, force_terminal=True, width=120)) as reporter:
        reporter.note("trains on [recordings]")
        reporter.step(30, 40, 2.0, 1e-3)
        reporter.validated(VALIDATION, 40)
    shown = out.getvalue()
    assert "trains on [recordings]" in shown
    assert LINE in shown
    assert "30/40" in shown
    assert "loss 2.000" in shown


def points(folder, name):
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, round(event.value, 3)) for event in events.Scalars(name)]


def test_curves_of_a_resumed_run_continue_at_its_state(tmp_path):
    for steps in ((10, 20, 30), (20, 30, 40)):  # killed after 30, its state from 20
        with TensorBoardReporter(tmp_path) as reporter:
            for step in steps:
                reporter.step(step, 40, step / 10 + (steps[0] == 20) / 2, 1e-3)
    assert points(tmp_path, "training/loss") == [(10, 1.0), (20, 2.5), (30, 3.5), (40, 4.5)]
    with TensorBoardReporter(tmp_path / "other") as reporter:
        reporter.validated(VALIDATION, 40)
    assert points(tmp_path / "other", "held out/top-1") == [(20, 0.25)]
    assert points(tmp_path / "other", "held out/macro F1") == [(20, 0.125)]


def test_a_run_without_steps_writes_no_curves(tmp_path):
    with TensorBoardReporter(tmp_path / "curves"):
        pass
    assert not (tmp_path / "curves").exists()


def test_all_reporters_get_the_same_events():
    first, second = io.StringIO(), io.StringIO()
    with CombinedReporter([LineReporter(first), LineReporter(second)]) as reporter:
        reporter.note("a line")
        reporter.step(10, 40, 2.0, 1e-3)
        reporter.validated(VALIDATION, 40)
    assert first.getvalue() == second.getvalue() == f"a line\n{LINE}\n"
