"""What a log, a terminal and TensorBoard get to see of a run."""

import io

from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mar_edge.training import reporting
from mar_edge.training.reporting import Bar, Curves, Lines, Together
from mar_edge.training.run_folder import Progress

VALIDATION = Progress(step=20, epoch=2.0, loss=1.5, lr=1e-3, top1=0.25, f1_macro=0.125, elapsed_s=61.2)
LINE = "step 20/40  loss 1.500  held-out top-1 0.250  macro F1 0.125  61 s"


def test_a_log_gets_lines_of_validations_and_one_a_minute_between(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with Lines(out) as report:
        report.note("learns from something")
        for step, seconds in ((10, 30), (20, 59), (30, 61), (40, 62), (50, 122)):
            now[0] = 1000.0 + seconds
            report.step(step, 40, 2.0, 1e-3)
        report.validated(VALIDATION, 40)
    assert out.getvalue().splitlines() == [
        "learns from something",
        "step 30/40  loss 2.000",
        "step 50/40  loss 2.000",
        LINE,
    ]


def test_a_terminal_gets_a_bar_with_the_lines_above_it():
    out = io.StringIO()
    with Bar(Console(file=out, force_terminal=True, width=120)) as report:
        report.note("learns from [recordings]")
        report.step(30, 40, 2.0, 1e-3)
        report.validated(VALIDATION, 40)
    shown = out.getvalue()
    assert "learns from [recordings]" in shown
    assert LINE in shown
    assert "30/40" in shown
    assert "loss 2.000" in shown


def points(folder, name):
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, round(event.value, 3)) for event in events.Scalars(name)]


def test_curves_of_a_resumed_run_go_on_where_its_state_was(tmp_path):
    for steps in ((10, 20, 30), (20, 30, 40)):  # killed after 30, its state from 20
        with Curves(tmp_path) as report:
            for step in steps:
                report.step(step, 40, step / 10 + (steps[0] == 20) / 2, 1e-3)
    assert points(tmp_path, "training/loss") == [(10, 1.0), (20, 2.5), (30, 3.5), (40, 4.5)]
    with Curves(tmp_path / "other") as report:
        report.validated(VALIDATION, 40)
    assert points(tmp_path / "other", "held out/top-1") == [(20, 0.25)]
    assert points(tmp_path / "other", "held out/macro F1") == [(20, 0.125)]


def test_nothing_is_written_of_a_run_that_never_got_to_a_step(tmp_path):
    with Curves(tmp_path / "curves"):
        pass
    assert not (tmp_path / "curves").exists()


def test_several_hear_the_same():
    first, second = io.StringIO(), io.StringIO()
    with Together([Lines(first), Lines(second)]) as report:
        report.note("a line")
        report.step(10, 40, 2.0, 1e-3)
        report.validated(VALIDATION, 40)
    assert first.getvalue() == second.getvalue() == f"a line\n{LINE}\n"
