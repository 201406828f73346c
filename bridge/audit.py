"""The audit of messages that arrived: what is missing or doubled, by stream, run and number. Reads nothing.

Each kind is counted by itself (``kind_seq``), so that kinds that were not passed on are not missed. A run's ``end``
message says how many messages of each kind were sent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from mar_edge.streaming.wire.message import SCHEMA
from mar_edge.streaming.wire.messages import MalformedMessage


class ArrivedHead(msgspec.Struct, frozen=True):
    """The fields of a message that its audit needs; ``sent`` is of ``end`` messages."""

    schema: int
    kind: str
    stream: str
    run: str
    seq: int
    kind_seq: int
    sent: dict[str, int] = {}


_read = msgspec.json.Decoder(ArrivedHead).decode


def read_head(body: bytes) -> ArrivedHead:
    """Return the head of a message.

    Raises:
        MalformedMessage: it is not one of mar-edge's, or of another version.
    """
    try:
        head = _read(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"not a message of mar-edge: {error}") from None
    if head.schema != SCHEMA or head.seq < 0 or head.kind_seq < 0 or not (head.stream and head.run):
        raise MalformedMessage("not a message of mar-edge, or of another version")
    return head


@dataclass(frozen=True)
class Missing:
    """Messages of one kind that did not arrive.

    first, last: their numbers among those of the kind. after_seq, before_seq: numbers, over all kinds, of the messages
    around them that arrived; None where there is none.
    """

    stream: str
    run: str
    kind: str
    first: int
    last: int
    after_seq: int | None
    before_seq: int | None

    @property
    def count(self) -> int:
        """Number of messages."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Doubled:
    """Messages of one run that arrived more than once: how many copies too many, and the first of their numbers."""

    stream: str
    run: str
    copies: int
    first_seq: int


@dataclass
class _Stretch:
    """Numbers of a kind that arrived without a gap, and the ``seq`` of the first and the last."""

    first: int
    last: int
    first_seq: int
    last_seq: int


@dataclass
class _Run:
    stretches: dict[str, list[_Stretch]] = field(default_factory=dict)
    copies: int = 0
    first_copy: int = 0
    sent: dict[str, int] | None = None


class Audit:
    """Takes messages in any order. Memory grows with the gaps, not with the messages.

    Attributes:
        count: Messages taken.

    Args:
        from_start: count messages before the first that arrived of each kind as missing too.
        kinds: kinds of which a run may have sent messages although none arrived; others are audited if any arrived.
    """

    def __init__(self, from_start: bool = False, kinds: Collection[str] = ()) -> None:
        self.count = 0
        self._from_start = from_start
        self._kinds = frozenset(kinds)
        self._runs: dict[tuple[str, str], _Run] = {}

    @property
    def runs(self) -> int:
        """Runs of which messages were taken."""
        return len(self._runs)

    def take(self, heads: Iterable[ArrivedHead]) -> None:
        """Take messages."""
        for head in heads:
            self.count += 1
            run = self._runs.setdefault((head.stream, head.run), _Run())
            if not _insert(run.stretches.setdefault(head.kind, []), head):
                run.first_copy = min(run.first_copy, head.seq) if run.copies else head.seq
                run.copies += 1
            if head.kind == "end":
                run.sent = head.sent

    def doubled(self) -> list[Doubled]:
        """Return what arrived more than once, one entry for each run."""
        return [Doubled(*name, run.copies, run.first_copy) for name, run in self._runs.items() if run.copies]

    def missing(self) -> Iterator[Missing]:
        """Yield what did not arrive, run by run and kind by kind."""
        for (stream, name), run in self._runs.items():
            for kind in sorted(run.stretches.keys() | (self._kinds if run.sent else ())):
                for first, last, after, before in self._gaps(run, kind):
                    yield Missing(stream, name, kind, first, last, after, before)

    def _gaps(self, run: _Run, kind: str) -> Iterator[tuple[int, int, int | None, int | None]]:
        stretches = run.stretches.get(kind, [])
        if stretches and stretches[0].first > 0 and self._from_start:
            yield 0, stretches[0].first - 1, None, stretches[0].first_seq
        for one, other in pairwise(stretches):
            yield one.last + 1, other.first - 1, one.last_seq, other.first_seq
        if run.sent is not None and kind != "end":
            arrived = stretches[-1].last + 1 if stretches else 0
            if arrived < run.sent.get(kind, 0):
                yield arrived, run.sent[kind] - 1, stretches[-1].last_seq if stretches else None, None


def _insert(stretches: list[_Stretch], head: ArrivedHead) -> bool:
    """Add a number to stretches, which are in order; return False if it is there already."""
    number, seq = head.kind_seq, head.seq
    at = bisect_right(stretches, number, key=lambda stretch: stretch.first)
    before = stretches[at - 1] if at else None
    after = stretches[at] if at < len(stretches) else None
    if before is not None and number <= before.last:
        return False
    joins_before = before is not None and number == before.last + 1
    joins_after = after is not None and number == after.first - 1
    if before is not None and joins_before:
        before.last, before.last_seq = number, seq
        if after is not None and joins_after:
            before.last, before.last_seq = after.last, after.last_seq
            del stretches[at]
    elif after is not None and joins_after:
        after.first, after.first_seq = number, seq
    else:
        stretches.insert(at, _Stretch(number, number, seq, seq))
    return True
