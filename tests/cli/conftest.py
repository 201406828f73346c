import pytest


@pytest.fixture
def user_error(cli_here):
    """Runs a command that must fail as a user's error does, exit 1 and one line; gives the line."""

    def run(*arguments):
        done = cli_here(*arguments)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        assert done.stderr.startswith("error: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stderr.strip()

    return run
