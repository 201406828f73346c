"""Which way labels' movements lead: MA-52's own, those of a user's label file, and of a model file."""

from __future__ import annotations

from pathlib import Path

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.edge.movements import (
    Movement,
    ma52_movements,
    movements_of,
    parse_movements,
    read_movements,
    stated_for,
)

LABELS = (Label(0, "leaning in", "body"), Label(1, "leaning back", "body"), Label(2, "bowing head", "head"))
OWN = "id,action,body,way,opposite\n0,leaning in,body,one,leaning back\n1,leaning back,body,one,leaning in\n2,x,,,\n"


def test_ma52_states_the_movement_of_every_action() -> None:
    movements = ma52_movements()
    assert movements.keys() == {label.name for label in ma52_labels()}
    assert movements["nodding"] == Movement("both")
    assert movements["turning head"] == Movement("each")
    opposites = {name: movement.opposite for name, movement in movements.items() if movement.opposite}
    assert opposites["bowing head"] == "head up"
    assert all(opposites[other] == name for name, other in opposites.items())


def test_a_users_label_file_states_those_of_its_own_labels(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(OWN, encoding="utf-8")
    assert stated_for(LABELS, read_movements(path)) == (
        Movement("one", "leaning back"),
        Movement("one", "leaning in"),
        Movement(),
    )


def test_a_file_without_the_columns_states_nothing() -> None:
    assert parse_movements("id,action,body\n0,bowing head,head\n", "x.csv") == {}
    assert stated_for(LABELS, {}) == ()


def test_without_a_statement_actions_of_ma52_have_their_own_movements() -> None:
    assert movements_of(LABELS, ()) == (Movement(), Movement(), Movement("one", "head up"))
    assert movements_of(LABELS, [Movement()] * 3) == (Movement(),) * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,action,way\n0,nodding,twice\n", "x.csv, line 2: way is both, one, each or empty, not 'twice'"),
        ("id,action,opposite\n0,nodding,waving\n", "'waving', the opposite of 'nodding', is not in the file"),
        ("id,action,opposite\n0,nodding,\n1,no,noding\n", "is not in the file; did you mean 'nodding'?"),
        ("action,way\nnodding,one\n", "columns id,action"),
    ],
)
def test_a_wrong_file_is_an_error_that_says_where(text: str, expected: str) -> None:
    with pytest.raises(MarEdgeError) as error:
        parse_movements(text, "x.csv")
    assert expected in str(error.value)
