"""Runs commands in this process, as ``mar-edge`` runs them: a process of its own costs half a second each."""

import logging
import subprocess
import sys

import pytest
from recorded_runs import two_people


@pytest.fixture
def here(monkeypatch, capsys):
    """Run ``mar-edge`` with these arguments in this process; like ``cli`` otherwise."""
    from mar_edge.cli.main import main

    # It takes the process's own standard error.
    monkeypatch.setattr("mar_edge.streaming.operations.logs.set_up_logs", lambda: None)
    logger = logging.getLogger("mar_edge")
    before = logger.handlers[:], logger.level, logger.propagate

    def run(*arguments):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["mar-edge", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            main()
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, exit.value.code, out, err)

    yield run
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture
def user_error(here):
    """Run a command that must fail as a user's mistake does, exit 1 and one line; return the line."""

    def run(*arguments):
        done = here(*arguments)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        assert done.stderr.startswith("error: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stderr.strip()

    return run


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """A recording of two people."""
    return two_people().write(tmp_path_factory.mktemp("recorded") / "cam.jsonl")
