from __future__ import annotations

import pytest
from codings import coding

from mar_edge.analysis.agreement.pairing import EVERYBODY, pair_timelines
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.timeline import NS


def test_the_common_time_is_what_both_say_they_coded() -> None:
    one, other = (
        coding(("nodding", 1, 2), end_s=60, begin_s=0.5),
        coding(("nodding", 1, 2), ("waving", 48, 55), end_s=50),
    )
    ((pair,), notes) = pair_timelines([one], [other])
    assert (pair.from_ns, pair.to_ns, notes) == (NS // 2, 60 * NS, ())
    assert pair.remarks == ("B does not say how long it is; it counts as coded to the end",)
    ((pair,), _) = pair_timelines([one], [coding(("nodding", 1, 2), ("waving", 48, 55), end_s=57)])
    assert (pair.to_ns, pair.remarks) == (57 * NS, ())
    ((pair,), _) = pair_timelines([coding(("nodding", 1, 2))], [other])
    assert (pair.to_ns, pair.remarks) == (55 * NS, ("neither says how long it is; the last event of both is the end",))


def test_events_are_cut_to_the_chosen_time() -> None:
    one = coding(("nodding", 1, 4), ("waving", 5, 9), ("waving", 10, 11), ("nodding", 0, 2), zero_ns=77, end_s=20)
    ((pair,), _) = pair_timelines([one], [coding(end_s=20)], from_s=2, to_s=8)
    spans = [(span.label, span.start_ns / NS, span.end_ns / NS) for span in pair.ones]
    assert spans == [("nodding", 2, 4), ("waving", 5, 8)]
    assert [(span.starts_inside, span.ends_inside) for span in pair.ones] == [(False, True), (True, False)]
    with pytest.raises(MarEdgeError, match="no common time from 30 to 20 s; --from and --to choose it"):
        pair_timelines([one], [coding(end_s=20)], from_s=30)


def test_people_are_compared_where_both_name_them() -> None:
    def people(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        sides = (
            coding(*(("nodding", 1, 2, n) for n in range(len(each))), names=tuple(enumerate(each)), end_s=9)
            for each in (one, other)
        )
        ((pair,), _) = pair_timelines([next(sides)], [next(sides)])
        return pair.people, pair.remarks

    assert people(("mother",), ("person 0",)) == ((EVERYBODY,), ())
    assert people(("child", "mother"), ("child", "mother")) == (("child", "mother"), ())
    assert people(("child", "mother"), ("mother",)) == (("child", "mother"), ())
    assert people((), ("child", "mother")) == (("child", "mother"), ())
    found, remarks = people(("child", "mother"), ("person 0", "person 1"))
    assert found == (EVERYBODY,)
    assert remarks == ("people are not distinguished: A has child, mother; B has person 0, person 1",)


def test_recordings_are_paired_by_name() -> None:
    ones = [coding(("nodding", 1, 2), name=name, end_s=9) for name in ("P01", "P02", "P03")]
    others = [coding(("nodding", 1, 2), name=name, end_s=9) for name in ("P03", "P01", "P09")]
    pairs, notes = pair_timelines(ones, others)
    assert [pair.name for pair in pairs] == ["P01", "P03"]
    assert notes == ("only in A: P02", "only in B: P09")
    with pytest.raises(MarEdgeError, match="no recording in common; A has P01, P02, P03; B has P09"):
        pair_timelines(ones, others[2:])
    with pytest.raises(
        MarEdgeError, match=r"A has several codings of 'P01' \(P01, P01\); 'mar-edge annotations --stream"
    ):
        pair_timelines([*ones, ones[0]], others)
    # One coding on each side belongs together, whatever the names.
    assert pair_timelines(ones[:1], others[2:])[0][0].name == "P01"
