from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from streaming.stopping import StopSignals


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """A shell starts background jobs with SIGINT ignored, tests too, and Python leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_a_signal_becomes_a_reason_and_the_old_handlers_come_back(number: signal.Signals, reason: str) -> None:
    before = signal.getsignal(number)
    with StopSignals() as stop:
        assert stop.reason is None
        signal.raise_signal(number)
        assert (stop.reason, stop.signal) == (reason, number)
    assert signal.getsignal(number) is before


@pytest.mark.usefixtures("_interruptible")
def test_a_second_interrupt_breaks_through() -> None:
    with StopSignals(), pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the first must not raise, the second must
        # Not os.kill: where another thread takes both before this one looks, they are one.
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_it_leaves_handlers_alone() -> None:
    seen = []

    def run() -> None:
        with StopSignals() as stop:
            seen.append((signal.getsignal(signal.SIGINT), stop.reason))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(before, None)]
