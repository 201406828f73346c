from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from mar_edge.streaming.operations.stop_signals import StopSignals


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Restore SIGINT, which a shell ignores in background jobs and Python then leaves ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_a_signal_sets_the_reason_and_old_handlers_are_restored(number: signal.Signals, reason: str) -> None:
    before = signal.getsignal(number)
    with StopSignals() as stop:
        assert stop.reason is None
        signal.raise_signal(number)
        assert (stop.reason, stop.signal) == (reason, number)
    assert signal.getsignal(number) is before


needs_hangup = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")


@pytest.fixture
def hangup() -> Iterator[signal.Signals]:
    """Set the default handler of SIGHUP, since tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield signal.SIGHUP
    signal.signal(signal.SIGHUP, before)


@needs_hangup
def test_a_hangup_stops_a_command_without_a_configuration(hangup: signal.Signals) -> None:
    with StopSignals() as stop:
        signal.raise_signal(hangup)
        assert (stop.reason, stop.signal, stop.take_hangup()) == ("hung up", hangup, False)
        signal.raise_signal(hangup)  # that of the shell, after that of the terminal
    assert signal.getsignal(hangup) == signal.SIG_DFL


@needs_hangup
def test_a_hangup_requests_a_reload_of_the_configuration(hangup: signal.Signals) -> None:
    with StopSignals(rereads=True) as stop:
        signal.raise_signal(hangup)
        assert (stop.reason, stop.take_hangup(), stop.take_hangup()) == (None, True, False)


@needs_hangup
def test_under_nohup_a_hangup_stays_ignored(hangup: signal.Signals) -> None:
    signal.signal(hangup, signal.SIG_IGN)
    with StopSignals() as stop:
        signal.raise_signal(hangup)
        assert stop.reason is None
    with StopSignals(rereads=True) as stop:  # an explicit request
        signal.raise_signal(hangup)
        assert stop.take_hangup()
    assert signal.getsignal(hangup) == signal.SIG_IGN


@pytest.mark.usefixtures("_interruptible")
def test_a_second_interrupt_raises_keyboard_interrupt() -> None:
    with StopSignals(), pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the first must not raise, the second must
        # Not os.kill: if another thread takes both signals first, they count as one.
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_handlers_are_not_changed() -> None:
    seen = []

    def run() -> None:
        with StopSignals() as stop:
            seen.append((signal.getsignal(signal.SIGINT), stop.reason))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(before, None)]
