"""Windows of corrected recordings: what is true in them, what is not, and what is unknown."""

import numpy as np
import pytest
from corrected_runs import ADDED, CONFIRMED, REJECTED, RELABELED, decision, reviewed, run_of, twenty_seconds, write
from recorded_runs import HUM, LABELS

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import background_label
from mar_edge.training.datasets.corrections import open_corrections
from mar_edge.training.datasets.stored import hold_out


def opened(folder, *rows, participants=None, **options):
    return open_corrections(write(folder, *rows, participants=participants), labels=LABELS, **options)


def shown(dataset):
    """Return start of the window -> label -> target, without zeros."""
    names = [label.name for label in dataset.labels]
    assert dataset.clip_targets is not None
    return {
        float(name.split()[1].split("-")[0]): {
            label: round(float(value), 2) for label, value in zip(names, row, strict=True) if value != 0
        }
        for name, row in zip(dataset.clip_names, dataset.clip_targets, strict=True)
    }


def unknown(windows, start_s):
    return [label for label, value in windows[start_s].items() if np.isnan(value)]


def test_confirmed_changed_and_added_events_are_true(tmp_path):
    windows = shown(opened(tmp_path, CONFIRMED, RELABELED, ADDED))
    assert windows[2.0] == {"nodding": 1.0}
    assert windows[1.0] == {"nodding": 0.7}  # half of it: (0.5 - 0.15) / 0.5
    assert windows[8.5] == {"humming": 1.0}  # and no shaking head, which the coder denied
    assert windows[10.5] == {"shaking head": 1.0}


def test_rejected_events_are_shown_as_nothing(tmp_path):
    dataset = opened(tmp_path, CONFIRMED, REJECTED)
    windows = shown(dataset)
    assert windows[8.0] == windows[9.0] == {}
    label = dataset.labels[dataset.known_labels()[dataset.clip_names.index("a 8.00-10.00 s")]]
    assert label.name == "no action"


def test_an_event_without_a_decision_is_neither_true_nor_background(tmp_path):
    added = decision("added", -1, 14.0, 15.0, HUM.name)
    windows = shown(opened(tmp_path, CONFIRMED, added, reviewed(0, 20)))
    # Event 2, shaking head from 8 to 10 s: in no window, not even of a reviewed stretch.
    assert not [start_s for start_s in windows if 6 < start_s < 10]
    # Event 3, nodding from 14 to 16 s: unknown where the added event is learned from.
    assert windows[13.5]["humming"] == 1.0
    assert unknown(windows, 13.5) == ["nodding"]


def test_nothing_is_taken_from_reviewed_stretches(tmp_path):
    dataset = opened(tmp_path, CONFIRMED, reviewed(4.0, 6.6), reviewed(16.0, 17.2), reviewed(17.2, 18.6))
    resting = [start_s for start_s, row in shown(dataset).items() if not row]
    # The stretches after 16 s touch. Windows that reach beyond a stretch are not taken.
    assert resting == [4.0, 4.5, 16.0, 16.5]
    assert not any("no reviewed stretch" in note for note in dataset.notes)


def test_without_a_reviewed_stretch_nothing_is_taken_from_uncorrected_parts(tmp_path):
    dataset = opened(tmp_path, CONFIRMED)
    windows = shown(dataset)
    resting = [start_s for start_s, row in windows.items() if not row]
    assert len(resting) == sum(bool(row) for row in windows.values())
    for low_s, high_s in ((2, 4), (8, 10), (14, 16)):
        assert not [start_s for start_s in resting if low_s < start_s + 2 and start_s < high_s]
    assert any(f"takes {len(resting)} such clips from where neither" in note for note in dataset.notes)


def test_no_nothing_at_all_is_said(tmp_path):
    full = decision("added", -1, 0.0, 20.2, HUM.name)
    assert any("no clip shows nothing happening" in note for note in opened(tmp_path, full).notes)


def test_decisions_about_an_earlier_analysis_count(tmp_path):
    old = {"run": "f" * 32}
    rows = [decision("confirmed", 7, 2.0, 4.0, machine=("nodding", 2.0, 4.0), **old), reviewed(0.0, 7.0, **old)]
    windows = shown(opened(tmp_path, *rows))
    assert windows[2.0] == {"nodding": 1.0}
    assert [start_s for start_s, row in windows.items() if not row] == [0.0, 4.0, 4.5, 5.0]


def test_a_gap_of_years_makes_no_windows(tmp_path):
    write(tmp_path, CONFIRMED)
    twenty_seconds(run_of("a.jsonl")).skeletons(9e8, 9e8 + 3).write(tmp_path / "a.jsonl")
    assert len(open_corrections(tmp_path, labels=LABELS)) < 30


def test_each_coder_counts_alone(tmp_path):
    other = decision("rejected", 1, 2.0, 4.0, machine=("nodding", 2.0, 4.0), coder="Bea")
    dataset = opened(tmp_path, CONFIRMED, other)
    rows = [row for row, name in zip(dataset.clip_targets, dataset.clip_names, strict=True) if name == "a 2.00-4.00 s"]
    assert sorted(row.max() for row in rows) == [0.0, 1.0]


def test_participants_are_held_out_whole(tmp_path):
    rows = [decision("confirmed", 1, 2.0, 4.0, recording=f"{name}.jsonl") for name in "abcd"]
    people = {"a.jsonl": "P1", "b.jsonl": "P1", "c.jsonl": "P2", "d.jsonl": "P3"}
    dataset = opened(tmp_path, *rows, participants=people)
    training, validation = hold_out(dataset, 0.2, seed=1)
    who = [{people[f"{name.split()[0]}.jsonl"] for name in part.clip_names} for part in (training, validation)]
    assert who[0].isdisjoint(who[1])
    assert who[0] | who[1] == {"P1", "P2", "P3"}
    assert len(dataset.recordings) == len(set(dataset.recordings)) == 4
    some = open_corrections(tmp_path, labels=LABELS, participants=["P2"])
    assert {name.split()[0] for name in some.clip_names} == {"c"}
    assert any("1 participant: validates on other minutes" in note for note in some.notes)
    with pytest.raises(MarEdgeError, match="no corrected recording of 'P9'; there are some of P1, P2, P3"):
        open_corrections(tmp_path, labels=LABELS, participants=["P9"])


def test_the_background_is_added_to_labels_without_it(tmp_path):
    write(tmp_path, CONFIRMED)
    labels = tuple(label for label in LABELS if label != background_label())
    assert open_corrections(tmp_path, labels=labels).labels == (*labels, background_label())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [decision("added", -1, 1.0, 2.0, "hummin")],
            "'hummin' at 1.0 s of a.jsonl is no label of the model; .* 'humming'",
        ),
        ([reviewed(0, 20)], "no skeletons were recorded during the corrected events"),
        ([decision("added", -1, 90.0, 95.0)], "no skeletons were recorded during the corrected events"),
        ([decision("added", -1, 1.0, 2.0, recording="b.jsonl")], "corrects b.jsonl, which is not in"),
    ],
)
def test_faults_say_what_to_do(tmp_path, rows, expected):
    write(tmp_path, *rows)
    (tmp_path / "b.jsonl").unlink(missing_ok=True)
    with pytest.raises(MarEdgeError, match=expected):
        open_corrections(tmp_path, labels=LABELS)
