"""The service goes on if nothing can be printed, and losses are counted."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from recorded_runs import NOD, Stream
from streaming_fakes import wait_until
from wire_messages import MESSAGES, stamped

from mar_edge.cli.output import CannotPrint, Guarded, say
from mar_edge.streaming.operations.background_calls import BackgroundCalls
from mar_edge.streaming.operations.logs import LOGGER, BackgroundHandler, set_up_logs
from mar_edge.streaming.wire.display import Display

HELLO = stamped(MESSAGES[0])


class Broken(io.StringIO):
    """A stream that blocks for a while."""

    error: Exception | None = BrokenPipeError(32, "Broken pipe")

    def write(self, text: str) -> int:
        if self.error is not None:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(32, "Broken pipe"),
        OSError(28, "No space left on device"),
        ValueError("I/O operation on closed file"),
        UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range(128)"),
    ],
)
def test_failed_prints_are_counted_and_the_rest_is_printed(error: Exception) -> None:
    file = Broken()
    file.error = error
    with BackgroundCalls() as printer:
        display = Display(file, ("hello", "event"))
        printer.submit(lambda: display.show(HELLO))
        wait_until(lambda: printer.lost == 1)
        assert printer.last_error
        file.error = None
        printer.submit(partial(print, "again", file=file))
    assert "again" in file.getvalue()
    assert printer.lost == 1


def test_status_lines_keep_their_interval_when_the_wall_clock_changes() -> None:
    file = io.StringIO()
    display = Display(file, ("status",), status_every_s=10.0)
    status = stamped(MESSAGES[-2])
    for t_s in (10_000, 10_005, 10_010, 6_411, 6_415, 6_421):  # set back by an hour
        display.show(msgspec.structs.replace(status, t_publish_ns=t_s * 10**9))
    assert len(file.getvalue().splitlines()) == 4


def test_a_paused_terminal_delays_no_caller() -> None:
    go_on = threading.Event()
    printed: list[int] = []
    printer = BackgroundCalls(most_waiting=5)
    printer.submit(lambda: go_on.wait() and None)
    for number in range(100):
        printer.submit(partial(printed.append, number))
    assert printer.lost >= 94
    go_on.set()
    printer.close()
    assert len(printed) + printer.lost == 100


def test_a_guarded_stream_counts_or_raises_errors() -> None:
    stream = Broken()
    people = Guarded(stream, strict=False)
    print("a", file=people)
    assert people.lost == 2  # the text, and its newline
    stream.error = OSError(28, "No space left on device")
    with pytest.raises(CannotPrint, match="No space left") as raised:
        print("a", file=Guarded(stream, strict=True))
    assert not raised.value.reader_left
    stream.error = None
    print("b", file=people)
    assert (people.getvalue(), people.isatty()) == ("b\n", False)


def test_a_failing_standard_error_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Guarded(Broken(), strict=True))
    say("relay of ...")


@pytest.fixture
def _logs() -> Iterator[None]:
    loggers = logging.getLogger(), logging.getLogger(LOGGER)
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    hook = threading.excepthook
    logging.captureWarnings(False)  # an earlier test may have left it on
    yield
    threading.excepthook = hook
    logging.captureWarnings(False)
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            if isinstance(handler, BackgroundHandler):
                handler.close()
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.usefixtures("_logs")
def test_all_logs_are_json_lines_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logs()
    set_up_logs()  # a second call adds no second handler
    # Without the logger, since pytest cannot pass a lone surrogate between processes.
    odd = logging.LogRecord("mar_edge.camera", logging.WARNING, __file__, 1, "lost \udcff", None, None)
    next(each for each in logging.getLogger().handlers if isinstance(each, BackgroundHandler)).handle(odd)
    logging.getLogger("websockets.server").error("opening handshake failed")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: 1 / 0, name="other")
    thread.start()
    thread.join()
    for handler in logging.getLogger().handlers:
        handler.flush()
    documents = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [document["logger"] for document in documents] == [
        "mar_edge.camera",
        "websockets.server",
        "py.warnings",
        "mar_edge",
    ]
    assert "ZeroDivisionError" in documents[3]["traceback"]


FOREIGN = """
import os, sys, time
from mar_edge.cli.output import guarded_streams
from mar_edge.streaming.operations.logs import set_up_logs
with guarded_streams():
    set_up_logs()
    os.write(2, b"\\x1b[0;93m2026-07-01 [W:onnxruntime] cannot persist\\x1b[m\\n\\n\\xff\\n")
    os.write(2, b"x" * 5000 + b"\\n")
    print("ours", file=sys.stderr, flush=True)
    time.sleep(0.3)
raise RuntimeError("a bug of ours")
"""


def test_output_of_libraries_becomes_json_and_own_prints_do_not() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    lines = done.stderr.splitlines()
    plain = [line for line in lines if not line.startswith("{")]
    assert (plain[0], plain[1], plain[-1]) == (
        "ours",
        "Traceback (most recent call last):",
        "RuntimeError: a bug of ours",
    )
    documents = [json.loads(line) for line in lines if line.startswith("{")]
    assert [document["message"] for document in documents] == [
        "2026-07-01 [W:onnxruntime] cannot persist",
        "\ufffd",
        "x" * 5000,
    ]
    assert {document["logger"] for document in documents} == {"stderr"}


@pytest.mark.usefixtures("_logs")
def test_logging_never_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Broken()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logs()
    (handler,) = (each for each in logging.getLogger().handlers if isinstance(each, BackgroundHandler))
    logging.getLogger("mar_edge").error("nobody reads this")
    wait_until(lambda: handler.lost == 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full and a POSIX shell")
@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("{} --version >/dev/full", 1, "error: cannot write to standard output: No space left on device\n"),
        ("{} --help | head -n 0", 0, ""),
        ("{} --version >&-", 0, ""),
        ("{} nonsense 2>/dev/full", 1, ""),
    ],
)
def test_a_command_that_cannot_print_reports_that_in_one_line(line: str, code: int, says: str) -> None:
    shell = ["bash", "-o", "pipefail", "-c", line.format(f"{sys.executable} -m mar_edge")]
    done = subprocess.run(
        shell, capture_output=True, text=True, timeout=100, check=False, cwd=Path(__file__).parents[3]
    )
    assert (done.returncode, done.stderr) == (code, says)


def command(tmp_path: Path, model: Path, name: str = "clip.jsonl") -> str:
    stream = Stream().hello().skeletons(0, 3).event(NOD, 1, 2)
    path = stream.write(tmp_path / name)
    return (
        f"{sys.executable} -m mar_edge replay '{path}' --model '{model}' --bind 'ipc://{tmp_path}/bus' "
        "--as-fast-as-possible"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full and a POSIX shell")
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("{} >/dev/full", "could not be printed: cannot write to standard output: No space left on device"),
        ("({}; echo code $? >&2) | head -n 0", "code 0"),
        ("{} >/dev/full 2>/dev/full; echo code $? >&2", "code 0"),
        ("exec {} >&- 2>&-", ""),
        ("PYTHONIOENCODING=ascii {} | cat", ""),
    ],
)
def test_the_service_goes_on_if_its_output_fails(tmp_path: Path, tiny_model: Path, how: str, expected: str) -> None:
    line = how.format(command(tmp_path, tiny_model, "Zoé.jsonl"))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert expected in done.stderr
    if "ascii" in how:
        assert "Zo\\xe9" in done.stdout
