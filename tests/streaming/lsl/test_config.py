from __future__ import annotations

import re

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.lsl.config import LslConfig, predicate
from mar_edge.streaming.lsl.slots import KEEP_NS, PersonSlots


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("PsychoPy", "name='PsychoPy'"),
        ("type=Markers", "type='Markers'"),
        ("hostname=box", "hostname='box'"),
        ("a=b", "name='a=b'"),
        ("Ann's", 'name="Ann\'s"'),
    ],
)
def test_a_query_is_a_name_or_a_property(query: str, said: str) -> None:
    assert predicate(query) == said


@pytest.mark.parametrize("query", ["", " ", "type=", "a\nb", "x" * 201, "both ' and \""])
def test_what_cannot_be_a_query_is_refused(query: str) -> None:
    with pytest.raises(MarEdgeError, match=re.escape("--lsl-markers: a ")):
        LslConfig(markers=("stimuli", query))


def test_people_have_places() -> None:
    slots = PersonSlots(2)
    assert slots.assign([4], 0) == [4, None]
    assert slots.assign([9, 4, 7], 1) == [4, 7]
    assert slots.assign([9, 7], 2) == [None, 7]  # 4 may come back
    assert slots.assign([9, 7, 4], KEEP_NS) == [4, 7]
    assert slots.assign([9, 7], 2 * KEEP_NS) == [None, 7]
    assert slots.assign([9, 7], 2 * KEEP_NS + 1) == [9, 7]
    assert slots.assign([], 2 * KEEP_NS + 2) == [None, None]
