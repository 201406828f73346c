"""What tests of the command line share."""

import pytest
from recorded_runs import two_people


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
    """Return a recording of two people."""
    return two_people().write(tmp_path_factory.mktemp("recorded") / "cam.jsonl")
