"""Label sets: MA-52's own, and what files from outside get wrong."""

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, background_label, default_labels, ma52_labels, parse_labels, read_labels

BODY_OF = [("body", 0, 4), ("head", 5, 10), ("upper limb", 11, 23), ("lower limb", 24, 31)]
BODY_OF += [("body-hand", 32, 37), ("head-hand", 38, 47), ("leg-hand", 48, 51)]


def test_ma52_has_its_52_actions_in_order_in_7_groups():
    labels = ma52_labels()
    assert [label.id for label in labels] == list(range(52))
    assert len({label.name for label in labels}) == 52
    assert [labels[i].name for i in (0, 9, 41, 51)] == [
        "shaking body",
        "nodding",
        "scratching or touching face",
        "scratching feet",
    ]
    for body, first, last in BODY_OF:
        assert {label.body for label in labels[first : last + 1]} == {body}


def test_they_are_the_specifications(shared):
    assert ma52_labels() == read_labels(shared("spec/labels_ma52.csv"))


def test_background_is_none_of_them():
    background = background_label()
    assert background.id == 52
    assert background.name not in {label.name for label in ma52_labels()}


@pytest.mark.parametrize(("layout", "count"), [("imigue", 32), ("ma52", 12), ("imigue", 52)])
def test_without_names_classes_are_numbered(layout, count):
    assert default_labels(layout, count) == tuple(Label(i, f"class {i}", "") for i in range(count))


def test_a_published_ma52_network_has_ma52s_names():
    assert default_labels("ma52", 52) == ma52_labels()


def test_a_file_as_a_spreadsheet_writes_it(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b'\xef\xbb\xbfid,note,action,body\r\n3,x,"touching, rubbing ",hand\r\n-1,,waving,\r\n')
    assert read_labels(path) == (Label(3, "touching, rubbing", "hand"), Label(-1, "waving", ""))


def test_body_may_be_left_out():
    assert parse_labels("action,id\nnodding,7\n", "x") == (Label(7, "nodding", ""),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "columns id,action[,body]; it has none"),
        ("id,name\n1,nodding\n", "it has ['id', 'name']"),
        ("1,nodding\n", "columns id,action[,body]"),
        ("id,action\none,nodding\n", "x.csv, line 2: not a label row"),
        ("id,action\n1,nodding\n2\n", "x.csv, line 3: not a label row"),
        ("id,action\n", "at least one label"),
        ("id,action\n1,nodding\n1,waving\n", "no id twice; ids are [1, 1]"),
    ],
)
def test_a_wrong_file_is_an_error_that_says_what_is_wrong(text, expected):
    with pytest.raises(MarEdgeError) as error:
        parse_labels(text, "x.csv")
    assert expected in str(error.value)


def test_an_action_without_a_name_is_an_error():
    with pytest.raises(MarEdgeError, match="line 2"):
        parse_labels("id,action\n1, \n", "x.csv")


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00id")
    for path in (tmp_path / "nowhere.csv", tmp_path, tmp_path / "binary.csv"):
        with pytest.raises(MarEdgeError, match=f"cannot read label file {path}"):
            read_labels(path)
