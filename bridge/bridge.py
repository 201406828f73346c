"""The loops of a bridge: one thread fills the journal from a subscription, another empties it into the sink.

The subscription never waits for the sink. Knows no kind of sink.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from mar_edge.bridge.journal import Journal
from mar_edge.bridge.selection import Selection
from mar_edge.bridge.sinks.base import Refused, Sink, Unavailable
from mar_edge.streaming.capture.backoff import Backoff
from mar_edge.streaming.wire.messages import AnyMessage, HelloMessage

REPORT_S = 60.0
# How often the loops look whether they should stop.
_LOOK_S = 0.2
# Least time between two batches that are not full: a batch costs more than its messages. A message on its own is not
# delayed.
_BATCH_S = 0.02
_log = logging.getLogger("mar_edge.bridge")


class Bridge:
    """Moves messages from a subscription through a journal to a sink. A context manager, which runs the sink's thread.

    Attributes:
        passed: Messages that the filter let through.
        filtered: Messages that it left out.
        sent: Messages that the sink has.
        refused: Messages that the sink will never take.
        failure: Why the sink took nothing at the last attempt; None if it did.
    """

    def __init__(self, selection: Selection, journal: Journal, sink: Sink, backoff: Backoff | None = None) -> None:
        self.passed = 0
        self.filtered = 0
        self.sent = 0
        self.refused = 0
        self.failure: str | None = None
        self._selection, self._journal, self._sink = selection, journal, sink
        self._backoff = backoff or Backoff()
        self._stopping = threading.Event()
        self._thread = ThreadPoolExecutor(1, "sink")
        self._emptying: Future[None] = Future()
        self._greeted: set[str] = set()
        self._reported: dict[tuple[str, str], int] = {}
        self._report_due_s = time.monotonic() + REPORT_S

    def fill(self, messages: Iterable[AnyMessage]) -> None:
        """Write the messages that pass into the journal."""
        for message in messages:
            if isinstance(message, HelloMessage) and message.run not in self._greeted:
                self._greeted.add(message.run)
                for line in self._selection.unknown(message):
                    self.warn(f"{message.stream}: {line}")
            if self._selection.passes(message):
                self.passed += 1
                self._journal.add(message)
            else:
                self.filtered += 1

    def drain(self, should_stop: Callable[[], bool]) -> None:
        """Wait until the journal is empty, or ``should_stop`` returns True."""
        while self._journal.waiting and not self.ended and not should_stop():
            time.sleep(_LOOK_S / 10)

    @property
    def ended(self) -> bool:
        """Whether the sink's thread ended; if nobody stopped it, ``check`` says why."""
        return self._emptying.done()

    def check(self) -> None:
        """Raise the error that ended the sink's thread, if there was one.

        Raises:
            MarEdgeError: the journal cannot be used any more.
        """
        if self.ended:
            self._emptying.result()

    def status(self) -> str:
        """Return one line: what waits, what was sent and lost, and why."""
        dropped = sum(each.count for each in self._journal.dropped.values())
        age_s = self._journal.oldest_age_s()
        line = (
            f"received {self.passed}; behind {self._journal.waiting} messages, {age_s:.0f} s; sent {self.sent}; "
            f"dropped {dropped}; refused {self.refused}; not written {self._journal.failed}"
        )
        return "; ".join([line, *filter(None, (self.failure, self._journal.last_failure))])

    def ask_report(self) -> None:
        """Report at the next chance; safe in a signal handler."""
        self._report_due_s = 0.0

    def report_if_due(self) -> None:
        """Log the status once a minute, and when it was asked for."""
        now_s = time.monotonic()
        if now_s >= self._report_due_s:
            self._report_due_s = now_s + REPORT_S
            _log.info("%s", self.status())
            self.report_drops()

    def report_drops(self) -> None:
        """Log the runs and numbers of what was dropped since the last time."""
        for (stream, run), dropped in self._journal.dropped.items():
            if self._reported.get((stream, run)) != dropped.count:
                self._reported[stream, run] = dropped.count
                self.warn(
                    f"{stream}: the journal was full: {dropped.count} messages of run {run} dropped, "
                    f"of the numbers {dropped.first_seq} to {dropped.last_seq}"
                )

    @staticmethod
    def warn(line: str) -> None:
        """Log what a user should know."""
        _log.warning("%s", line)

    def _empty(self) -> None:
        """Send the journal's messages, oldest first; after a failure wait, connect again and go on where it was."""
        while not self._stopping.is_set():
            began_s = time.monotonic()
            sent_before = self.sent
            try:
                self._sink.open()
                while not self._stopping.is_set():
                    self._send_batch()
            except Unavailable as error:
                self._fail(str(error))
            finally:
                self._sink.close()
            lasted_s = time.monotonic() - began_s if self.sent > sent_before else 0.0
            self._stopping.wait(self._backoff.after(lasted_s))

    def _send_batch(self) -> None:
        began_s = time.monotonic()
        batch = self._journal.oldest(self._sink.batch_size, _LOOK_S)
        done = 0
        try:
            if batch:
                done = self._sink.send(batch)
                self.sent += done
                self._recover()
        except Refused as error:
            done = 1
            self.refused += 1
            _log.error("%s was refused and is dropped: %s", batch[0].id, error)
        finally:
            self._journal.settle(batch[:done])
        if len(batch) < self._sink.batch_size and time.monotonic() - began_s < _BATCH_S:
            self._stopping.wait(_BATCH_S)

    def _fail(self, why: str) -> None:
        if self.failure is None:
            self.warn(f"{why}; messages wait in the journal")
        self.failure = why

    def _recover(self) -> None:
        if self.failure is not None:
            _log.info("the receiver takes messages again")
            self.failure = None

    def __enter__(self) -> Bridge:
        self._emptying = self._thread.submit(self._empty)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopping.set()
        self._thread.shutdown()
