"""The example runs as it is, on the built-in demo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "recognize.py"


def test_the_example_recognizes_two_actions_of_the_demo(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    events = [line for line in done.stdout.splitlines() if "person 0" in line]
    assert len(events) == 2
    assert all("[head]" in line for line in events)
    assert "standing still: 0 events" in done.stdout
