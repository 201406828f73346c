"""The option ``--participants``."""

import pytest

from mar_edge.cli.participants import participant_names
from mar_edge.edge.errors import MarEdgeError


def test_names_are_separated_by_commas():
    assert participant_names("P01, Max Muster ,P01,") == ("P01", "Max Muster")


@pytest.mark.parametrize("text", ["", " , "])
def test_no_name_is_an_error(text):
    with pytest.raises(MarEdgeError, match="--participants takes names, such as P01,P02"):
        participant_names(text)
