from __future__ import annotations

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mar_edge.bridge.audit import ArrivedHead, Audit
from mar_edge.streaming.wire.message import SCHEMA


def head(kind_seq: int, kind: str = "event", **fields: object) -> ArrivedHead:
    return msgspec.structs.replace(ArrivedHead(SCHEMA, kind, "cam", "r", 3 * kind_seq, kind_seq), **fields)


def audited(heads: list[ArrivedHead], **options: object) -> Audit:
    audit = Audit(**options)  # type: ignore[arg-type]
    audit.take(heads)
    return audit


@given(st.lists(st.integers(0, 40), min_size=1))
def test_it_finds_exactly_what_is_missing_and_doubled_in_any_order(numbers: list[int]) -> None:
    audit = audited([head(number) for number in numbers])
    missing = {number for gap in audit.missing() for number in range(gap.first, gap.last + 1)}
    assert missing == set(range(min(numbers), max(numbers))) - set(numbers)
    assert sum(double.copies for double in audit.doubled()) == len(numbers) - len(set(numbers))


def test_a_gap_names_the_messages_around_it() -> None:
    (gap,) = audited([head(0), head(1), head(5)]).missing()
    assert (gap.kind, gap.first, gap.last, gap.after_seq, gap.before_seq, gap.count) == ("event", 2, 4, 3, 15, 3)


def test_the_end_says_what_is_missing_after_the_last() -> None:
    end = head(0, "end", sent={"event": 4, "status": 9})
    assert [(gap.first, gap.last) for gap in audited([head(0), head(1), end]).missing()] == [(2, 3)]
    assert [gap.kind for gap in audited([end], kinds=("event",)).missing()] == ["event"]


def test_what_was_sent_before_the_first_counts_only_where_asked_for() -> None:
    heads = [head(5), head(6), head(0, run="s")]
    assert not list(audited(heads).missing())
    assert [gap.count for gap in audited(heads, from_start=True).missing()] == [5]


def test_runs_and_streams_count_by_themselves() -> None:
    heads = [head(n, run=run, stream=stream) for run in "ab" for stream in ("one", "two") for n in (0, 1)]
    random.Random(0).shuffle(heads)
    audit = audited(heads)
    assert audit.runs == 4
    assert not list(audit.missing())
    assert not audit.doubled()
