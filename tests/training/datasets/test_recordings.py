"""Folders of recordings: their windows, the names of these, and possible faults."""

import clips
import numpy as np
import pytest

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, read_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.preprocess import window_to_input
from mar_edge.training.datasets.recordings import open_recordings

FPS = 25.0
HEAD = "recording,start_s,end_s,label\n"


@pytest.fixture
def clip():
    """Return a clip of twelve seconds."""
    return clips.moving(0, "ma52", frames=300)


@pytest.fixture
def folder(tmp_path, clip):
    """Write take1 and take2, the latter of two people."""
    folder = tmp_path / "lab"
    folder.mkdir()
    lines = clips.skeleton_lines(clip, fps=FPS)
    (folder / "take1.jsonl").write_text("\n".join(lines))
    (folder / "take2.jsonl").write_text("\n".join(lines + clips.skeleton_lines(clip[::-1], fps=FPS, person=1)))
    return folder


def opened(folder, rows, head=HEAD, **options):
    (folder / "labels.csv").write_text(head + rows)
    return open_recordings(folder, **options)


def span(name):
    """Return the times in a clip's name."""
    start, end = name.split()[1].split("-")
    return float(start), float(end)


def test_the_window_of_an_event_equals_a_live_window(folder, clip):
    dataset = opened(folder, "take1,4.0,6.0,nodding\ntake1.jsonl,8,10,52\n")
    assert [label.name for label in dataset.labels] == ["nodding", "no action"]
    assert dataset.background == 1
    assert dataset.layout.name == "ma52"
    assert dataset.name == "recordings lab, 2 events, 2 clips"
    batch = dataset.batch(np.arange(2))
    assert batch.labels.tolist() == [0, 1]
    assert dataset.clip_name(0) == "take1 4.00-6.00 s"
    times_s = np.arange(100, 151) / FPS
    skeleton, index_t = window_to_input(Window(clip[100:151], times_s), load_layout("ma52"))
    np.testing.assert_allclose(batch.skeleton[0], skeleton, atol=1e-5)
    np.testing.assert_array_equal(batch.index_t[0], index_t)


def test_a_short_event_is_seen_with_what_is_around_it(folder):
    dataset = opened(folder, "take1,5.0,5.5,nodding\ntake1,0.1,0.4,nodding\ntake1,11.5,11.9,nodding\n")
    spans = sorted(map(span, dataset.clip_names))
    assert spans == [(0, 2), (4.25, 6.25), (9.96, 11.96)]  # pushed inside the recording


def test_a_window_excludes_neighbors_of_another_label(folder):
    rows = "take1,4.6,4.9,nodding\ntake1,5.0,5.5,shaking head\ntake1,5.7,6.5,shaking head\ntake1,6.6,8.6,nodding\n"
    dataset = opened(folder, rows)
    assert [span(name) for name in dataset.clip_names] == [(3, 5), (4.9, 6.6), (4.9, 6.6), (6.6, 8.6)]
    assert dataset.known_labels().tolist() == [0, 1, 1, 0]


def test_a_long_event_is_several_windows_that_cover_it(folder):
    spans = [span(name) for name in opened(folder, "take1,2,7,nodding\n").clip_names]
    assert spans == [(2, 4), (3.5, 5.5), (5, 7)]


def test_each_recording_is_a_group(folder):
    dataset = opened(folder, "take1,1,3,nodding\ntake2,1,3,nodding\ntake1,4,6,nodding\n")
    assert sorted(dataset.groups) == [0, 0, 1]


def test_the_person_of_an_event(folder, clip):
    head = "recording,start_s,end_s,label,person\n"
    dataset = opened(folder, "take2,4,6,nodding,1\ntake2,8,10,nodding,\n", head)
    expected = open_recordings(folder).batch(np.array([0])).skeleton[0]
    mirrored, _ = window_to_input(Window(clip[::-1][100:151], np.arange(100, 151) / FPS), load_layout("ma52"))
    np.testing.assert_allclose(expected, mirrored, atol=1e-5)
    assert len(dataset) == 2


def test_events_that_overlap_give_a_window_several_labels(folder):
    dataset = opened(folder, "take1,2,4,nodding\ntake1,3,5,waving\ntake1,8,10,52\ntake2,3,5,turning head\n")
    batch = dataset.batch(np.arange(4))
    names = [label.name for label in dataset.labels]
    shown = [{n: round(float(v), 2) for n, v in zip(names, row, strict=True) if v} for row in batch.targets]
    # Half of the neighbor is in the window: (0.5 - 0.15) / 0.5.
    assert shown == [
        {"nodding": 1.0, "waving": 0.7},
        {"nodding": 0.7, "waving": 1.0},
        {},
        {"turning head": 1.0},
    ]
    assert [names[i] for i in batch.labels] == ["nodding", "waving", "no action", "turning head"]
    assert opened(folder, "take1,2,4,nodding\ntake1,4,5,waving\n").clip_targets is None
    both = dataset.only(np.array([1, 0]), "part")
    np.testing.assert_array_equal(both.clip_targets, dataset.clip_targets[[1, 0]])
    assert both.digest() != opened(folder, "take1,2,4,nodding\n").digest()


def test_people_do_not_share_labels(folder):
    head = "recording,start_s,end_s,label,person\n"
    assert opened(folder, "take2,2,4,nodding,0\ntake2,3,5,waving,1\n", head).clip_targets is None


def test_labels_of_the_user(folder):
    labels = (Label(1, "left hand up", ""), Label(2, "right hand up", ""), Label(3, "no action", "none"))
    dataset = opened(folder, "take1,1,3,right hand up\ntake1,4,6,3\n", labels=labels)
    assert dataset.labels == labels
    assert dataset.known_labels().tolist() == [1, 2]
    assert dataset.class_counts().tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", "labels.csv lists no event"),
        (
            "take1,1,3,flying\n",
            "line 2: no label 'flying'; name your labels with --labels FILE, or use one of: shaking body",
        ),
        ("take1,1,3,nodding\ntake1,3,1,nodding\n", "line 3: an event from 3.0 to 1.0 s"),
        ("take1,-1,3,nodding\n", "line 2: an event from -1.0 to 3.0 s"),
        ("take1,nan,3,nodding\n", "line 2: start_s is 'nan'; expected seconds"),
        ("take1,1,inf,nodding\n", "line 2: end_s is 'inf'; expected seconds"),
        ("take1,one,3,nodding\n", "line 2: start_s is 'one'; expected seconds"),
        ("take1,1\n", "line 2: end_s is ''; expected seconds"),
        ("take9,1,3,nodding\n", "line 2: no recording"),
        ("../take1,1,3,nodding\n", "line 2: recording '../take1'; expected the name of a file in the same folder"),
        (",1,3,nodding\n", "line 2: recording ''"),
        ("take1,1,3,nodding\ntake1,14,16,nodding\n", "line 3: take1 has 0 skeletons from 14.00 to 16.00 s"),
        ("take1,11.8,14,nodding\n", "line 2: take1 has 5 skeletons from 11.80 to 13.80 s; at least 8 are needed"),
    ],
)
def test_each_fault_is_one_line_with_its_place(folder, rows, expected):
    with pytest.raises(MarEdgeError) as error:
        opened(folder, rows)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_folders_without_valid_labels_are_refused(folder):
    with pytest.raises(MarEdgeError, match=r"cannot read .*labels.csv: No such file .* recording,start_s,end_s,label"):
        open_recordings(folder)
    with pytest.raises(MarEdgeError, match="has the columns file,label; expected recording,start_s,end_s,label"):
        opened(folder, "", "file,label\n")
    (folder / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MarEdgeError, match=r"is not text.*recording,start_s,end_s,label"):
        open_recordings(folder)


def test_a_table_of_a_spreadsheet_with_decimal_commas_and_guarded_texts(folder):
    (folder / "labels.csv").write_bytes("recording;start_s;end_s;label\ntake1;1,5;3,5;'=Köpfen\n".encode("cp1252"))
    dataset = open_recordings(folder, labels=(Label(1, "=Köpfen", ""), Label(2, "no action", "none")))
    assert dataset.known_labels().tolist() == [0]
    assert dataset.clip_names == ["take1 1.50-3.50 s"]


def test_recordings_of_two_layouts_are_refused(folder):
    (folder / "other.jsonl").write_text("\n".join(clips.skeleton_lines(clips.moving(0, "imigue", frames=100))))
    with pytest.raises(MarEdgeError, match="other holds imigue skeletons, the others ma52"):
        opened(folder, "take1,1,3,nodding\nother,1,3,nodding\n")


@pytest.mark.parametrize("empty", [",,,", " , ,,", ",,,,,,"])
def test_empty_rows_are_skipped(folder, empty):
    dataset = opened(folder, f"{empty}\ntake1,4.0,6.0,nodding\n{empty}\n")
    assert len(dataset) == 1
    (folder / "names.csv").write_text(f"id,action\n{empty}\n0,nodding\n{empty}\n")
    assert [label.name for label in read_labels(folder / "names.csv")] == ["nodding"]


def test_an_event_without_visible_joints_is_refused(folder, clip):
    nobody = np.full_like(clip, np.nan)
    (folder / "take3.jsonl").write_text("\n".join(clips.skeleton_lines(nobody, fps=FPS)))
    with pytest.raises(MarEdgeError, match=r"labels.csv, line 2: no joint was seen from 4.00 to 6.00 s of take3"):
        opened(folder, "take3,4.0,6.0,nodding\n")
