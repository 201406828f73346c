"""Progress where no terminal is: a line now and then, with the time that is left."""

from __future__ import annotations

import pytest

from mar_edge.cli import progress


def test_lines_say_how_long_is_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now_s = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s[0])
    with progress.showing_progress() as show:
        for now_s[0], done in ((15.0, 0), (30.0, 10), (45.0, 20), (60.0, 30), (61.0, 31), (3700.0, 100)):
            show("frames", done, 100)
    assert capsys.readouterr().err.splitlines() == [
        "frames: 0 of 100",
        "frames: 10 of 100",
        "frames: 20 of 100, about 0:02:00 left",  # 10 frames in 15 s, 80 to go
        "frames: 30 of 100, about 0:01:45 left",
        "frames: 100 of 100",
    ]
