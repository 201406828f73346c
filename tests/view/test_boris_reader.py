from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import UNLISTED_ID, Label
from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.view.annotations.boris_reader import read_project


def project(**observation: Any) -> dict[str, Any]:
    """Return a project as BORIS 8 saves it, without the parts that say nothing about events."""
    kinds = {"nodding": "State event", "sneeze": "Point event", "Waving": "State event with coding map"}
    return {
        "time_format": "hh:mm:ss",
        "project_format_version": "7.0",
        "subjects_conf": {"0": {"key": "a", "name": "Ann", "description": ""}, "1": {"key": "", "name": "Bo"}},
        "behaviors_conf": {
            str(n): {"type": kind, "key": "n", "code": code, "description": "", "category": "face", "modifiers": {}}
            for n, (code, kind) in enumerate(kinds.items())
        },
        "observations": {
            "first": {
                "file": {"1": ["videos/P01.mp4"], "2": []},
                "type": "MEDIA",
                "date": "2026-01-31T12:00:00",
                "description": "",
                "time offset": 0.0,
                "media_info": {"length": {"videos/P01.mp4": 60.0}, "fps": {"videos/P01.mp4": 25.0}},
                "events": [],
                **observation,
            }
        },
    }


def read(tmp_path: Path, content: dict[str, Any]) -> tuple[Timeline, tuple[str, ...]]:
    path = tmp_path / "study.boris"
    path.write_text(json.dumps(content))
    found = read_project(path)
    return found.timelines[0], found.notes


def events(timeline: Timeline) -> list[tuple[str, str, float, float, bool]]:
    return [
        (
            timeline.name_of(event.person),
            event.label.name,
            timeline.seconds(event.t_start_ns),
            timeline.seconds(event.t_end_ns),
            event.is_open,
        )
        for event in timeline.events
    ]


def test_states_are_paired_by_subject_behavior_and_modifiers(tmp_path: Path) -> None:
    timeline, notes = read(
        tmp_path,
        project(
            events=[
                [1.0, "Ann", "nodding", "", "", 25],
                [1.5, "Bo", "nodding", "", "", 37],
                [2.0, "Ann", "nodding", "strong", "", 50],
                [2.5, "Ann", "nodding", "", "unclear", 62],
                [3.0, "Ann", "nodding", "strong", "", 75],
                [4.0, "No focal subject", "sneeze", "", "", 100],
                [5.0, "Bo", "nodding", "", "", 125],
                [6.5, "", "Waving", "", ""],
            ]
        ),
    )
    assert events(timeline) == [
        ("Ann", "nodding", 1.0, 2.5, False),
        ("Bo", "nodding", 1.5, 5.0, False),
        ("Ann", "nodding", 2.0, 3.0, False),
        ("person 2", "sneeze", 4.0, 4.0, False),
        ("person 2", "waving", 6.5, 60.0, True),  # to the end of the video
    ]
    assert {event.label for event in timeline.events} == {
        Label(9, "nodding", "head"),
        Label(UNLISTED_ID, "sneeze", "face"),
        Label(19, "waving", "upper limb"),
    }
    assert {event.recording for event in timeline.events} == {"P01.jsonl"}
    assert timeline.stream == "first"
    assert notes == (
        "observation 'first': 1 START without a STOP is kept as open",
        "observation 'first': 2 modifiers are left out",
        "observation 'first': 1 comment is left out",
    )


def test_times_are_those_of_the_video(tmp_path: Path) -> None:
    marks = [[11.0, "Ann", "nodding", "", ""], [12.0, "Ann", "nodding", "", ""]]
    timeline, _ = read(tmp_path, project(events=marks, **{"time offset": 10.0}))
    assert events(timeline) == [("Ann", "nodding", 1.0, 2.0, False)]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([["1.0", "Ann", "nodding", "", ""]], "observation 'first', event 1: expected seconds"),
        ([[True, "Ann", "nodding", "", ""]], "event 1: expected seconds"),
        ([[1e300, "Ann", "nodding", "", ""]], "event 1: expected seconds"),
        ([[]], "event 1: expected seconds"),
        ([[1.0, None, "nodding"]], "event 1: expected seconds"),
        ([[1.0, "Ann", "dancing", "", ""]], "event 1: behavior 'dancing' is not in the ethogram"),
        ("none", "is not a project of BORIS"),
    ],
)
def test_a_wrong_entry_is_an_error_that_names_it(tmp_path: Path, events: Any, message: str) -> None:
    with pytest.raises(MarEdgeError) as caught:
        read(tmp_path, project(events=events))
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"observations": NaN}'])
def test_what_is_no_project_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.boris").write_bytes(content)
    with pytest.raises(MarEdgeError, match=r"a\.boris is not a project of BORIS"):
        read_project(tmp_path / "a.boris")
    with pytest.raises(MarEdgeError, match="holds no observation"):
        read(tmp_path, {"behaviors_conf": {}, "observations": {}})
