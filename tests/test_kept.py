"""Kept results: computed once for the same inputs, and again when they are damaged."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kept import Kept

WORKER = """
import sys, time
from pathlib import Path
from kept import Kept

def make():
    time.sleep(0.2)
    with Path(sys.argv[1], "made").open("a") as log:
        log.write("once ")
    return b"result"

assert Kept(Path(sys.argv[1])).get("x", ["same"], make) == b"result"
"""


def never():
    raise AssertionError("computed again")


@pytest.mark.parametrize(
    "damage", [lambda content: b"", lambda content: content[:-1], lambda content: content[:-1] + b"?"]
)
def test_a_result_is_computed_once_and_again_when_damaged(tmp_path, damage):
    kept = Kept(tmp_path)
    assert kept.get("x", ["a", "b"], lambda: b"result") == b"result"
    assert Kept(tmp_path).get("x", ["a", "b"], never) == b"result"
    (path,) = (path for path in tmp_path.iterdir() if not path.suffix)
    path.write_bytes(damage(path.read_bytes()))
    assert kept.get("x", ["a", "b"], lambda: b"new") == b"new"


def test_other_inputs_have_other_results(tmp_path):
    kept = Kept(tmp_path)
    for number, inputs in enumerate((["a", "b"], ["ab"], ["a", b"b", ""], ["b", "a"])):
        assert kept.get("x", inputs, lambda number=number: bytes([number])) == bytes([number])


def test_a_failure_is_not_kept(tmp_path):
    with pytest.raises(AssertionError, match="computed again"):
        Kept(tmp_path).get("x", ["a"], never)
    assert Kept(tmp_path).get("x", ["a"], lambda: b"result") == b"result"


@pytest.mark.skipif(sys.platform == "win32", reason="no fcntl: two processes may compute the same result")
def test_processes_compute_it_once(tmp_path):
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda _: subprocess.run(command, cwd=Path(__file__).parent, timeout=60, check=False), range(2))
    assert [process.returncode for process in done] == [0, 0]
    assert (tmp_path / "made").read_text() == "once "
