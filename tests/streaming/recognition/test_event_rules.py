from __future__ import annotations

from dataclasses import fields
from typing import get_type_hints

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recognition import event_rules
from mar_edge.streaming.recognition.event_rules import EventRules

NAMES = [field.name for field in fields(EventRules)]


def test_every_rule_is_a_plain_number() -> None:
    # The config file sets them by name.
    assert set(get_type_hints(EventRules).values()) == {float}


@pytest.mark.parametrize("name", NAMES)
def test_a_value_outside_its_range_is_an_error_that_names_the_rule(name: str) -> None:
    low, high = event_rules._limits(name)
    for value in (low, high):
        assert getattr(EventRules(**{name: value}), name) == value
    for value in (low - 0.001, high + 0.001, float("nan"), float("inf")):
        with pytest.raises(MarEdgeError, match=rf"\[event_rules\]: {name} is "):
            EventRules(**{name: value})
