"""Measures of footage: correct on known motion, and the same for real and synthetic footage."""

import csv

import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import SkeletonMessage
from mar_edge.training.synth import footage
from mar_edge.training.synth.command import statistics_table
from mar_edge.training.synth.statistics import FRAMINGS, Done, Figure, Footage, statistics, table
from mar_edge.training.synth.world import TRAINING

JOINTS = load_layout("ma52").joints
T = 61
TURN = "turning head, head and shoulders: shoulder width change, %"


def still(**places: tuple[float, float]) -> np.ndarray:
    """Return (61, 44, 2) px: head and shoulders of a still person, and the other ``places``."""
    joints = np.full((T, 44, 2), np.nan, np.float32)
    head = {"nose": (200, 115), "left_eye": (220, 100), "right_eye": (180, 100), "neck": (200, 220)}
    shoulders = {"left_shoulder": (300, 220), "right_shoulder": (100, 220)}
    for name, place in (head | shoulders | places).items():
        joints[:, JOINTS.index(name)] = place
    return joints


def measured(joints: np.ndarray, *done: Done) -> dict[str, Figure]:
    seconds = np.linspace(0, 2, T)
    return {figure.name: figure for figure in statistics([Footage(seconds, joints, done)])}


def after(figures: dict[str, Figure], name: str, lines: int) -> Figure:
    """Return the figure ``lines`` below ``name``: names of lines that begin with dots repeat."""
    return list(figures.values())[list(figures).index(name) + lines]


def doing(name: str, body: str) -> Done:
    return Done(name, body, 0.0, 2.0)


def moved(joints: np.ndarray, name: str, x: np.ndarray | float = 0.0, y: np.ndarray | float = 0.0) -> None:
    joints[:, JOINTS.index(name), 0] += x
    joints[:, JOINTS.index(name), 1] += y


RAMP = np.clip(np.linspace(-0.5, 1.5, T), 0, 1)


def test_width_change_measures_the_narrowing_of_shoulders():
    joints = still()
    moved(joints, "left_shoulder", -20 * RAMP)
    moved(joints, "right_shoulder", 20 * RAMP)
    assert measured(joints, doing("turning head", "head"))[TURN].value == pytest.approx(40 / 180 * 100, rel=0.02)
    assert np.isnan(measured(joints, doing("waving", "upper limb"))[TURN].value)
    assert measured(still(), doing("turning head", "head"))[TURN].value == 0


def test_a_shoulder_outside_the_picture_is_mirrored_about_the_neck():
    joints = still()
    joints[:, JOINTS.index("left_shoulder")] = np.nan
    moved(joints, "right_shoulder", 20 * RAMP)
    assert measured(joints, doing("turning head", "head"))[TURN].value == pytest.approx(40 / 180 * 100, rel=0.02)


def test_wrist_travel_is_in_shoulder_widths():
    joints = still(left_wrist=(250, 400), right_wrist=(150, 400))
    moved(joints, "left_wrist", y=-300 * RAMP)
    figure = measured(joints, doing("touching nose", "head-hand"))["head-hand: wrist travel, shoulder widths"]
    assert figure.value == pytest.approx(1.5, rel=0.02)
    assert figure.count == 1


@pytest.mark.parametrize(
    ("seen", "framing"),
    [
        ({}, "head and shoulders"),
        ({"left_hip": (230, 500)}, "to the hips"),
        ({"left_hip": (230, 500), "right_knee": (150, 700)}, "full body"),
    ],
)
def test_framing_follows_the_visible_joints(seen, framing):
    figures = measured(still(**seen))
    assert {name: figures[f"windows framed: {name}, %"].value for name in FRAMINGS} == {
        name: 100.0 * (name == framing) for name in FRAMINGS
    }


def test_a_head_without_shoulders_is_framed_face_only():
    joints = still()
    joints[:, [JOINTS.index(name) for name in ("left_shoulder", "right_shoulder", "neck")]] = np.nan
    assert measured(joints)["windows framed: face only, %"].value == 100


def test_sway_and_jitter_of_an_idle_person():
    joints = still(left_wrist=(250, 400), right_wrist=(150, 400))
    figures = measured(joints)
    sway = "nothing: head sway (SD), eye widths"
    assert figures[sway].value == 0
    for eye in ("left_eye", "right_eye"):
        moved(joints, eye, x=np.where(np.arange(T) % 2, 4, -4))
    assert measured(joints)[sway].value == pytest.approx(0.1, rel=0.02)  # of 40 px
    assert measured(joints)["head jitter, eye widths a frame"].value == pytest.approx(0.2, rel=0.02)
    assert np.isnan(measured(joints, doing("nodding", "head"))[sway].value)


def test_the_table_has_a_column_for_each_source():
    few = (Figure("share, %", 12.345, 7), Figure("other", float("nan"), 0))
    lines = table({"synthetic": few, "real": (Figure("share, %", 250.0, 3), Figure("other", 0.0123, 1))}).splitlines()
    assert lines == [
        "| | synthetic | real |",
        "|---|---|---|",
        "| share, % | 12.3 (7) | 250 (3) |",
        "| other | - | 0.012 (1) |",
    ]


@pytest.fixture
def people(tmp_path):
    """Write a folder of real recordings."""
    (tmp_path / "skeletons").mkdir()
    clips = {"turner": still(), "sitter": still()}
    moved(clips["turner"], "left_shoulder", -30 * RAMP)
    for name, joints in clips.items():
        lines = []
        for frame, moment in enumerate(joints):
            seen = tuple(None if np.isnan(joint[0]) else tuple(joint.tolist()) for joint in moment)
            t_ns = frame * 33_333_333
            head = {"stream": "cam", "run": "r", "seq": frame, "kind_seq": frame, "frame": frame}
            times = {"t_capture_ns": t_ns, "t_publish_ns": t_ns}
            scores = (1.0,) * len(seen)
            lines.append(encode(SkeletonMessage(**head, **times, person=0, joints=seen, scores=scores)))
        (tmp_path / "skeletons" / f"{name}.jsonl").write_bytes(b"\n".join(lines))
    write_truth(tmp_path, [("turner.mp4", "0.1", "1.9", "turning head"), ("sitter.mov", "", "", "nothing")])
    return tmp_path


def write_truth(folder, rows) -> None:
    with (folder / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "start_s", "end_s", "label"), *rows])


def test_real_recordings_are_read(people):
    turner, sitter = footage.real(people)
    assert turner.events == (Done("turning head", "head", 0.1, 1.9),)
    assert sitter.events == ()
    assert turner.joints.shape == (T, 44, 2)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("turner.mp4", "0", "1", "flying")], "line 2: 'flying' is no action of MA-52"),
        ([("turner.mp4", "soon", "1", "nodding")], "line 2: start_s and end_s are seconds, not 'soon' and '1'"),
        ([], "needs a header and rows with the columns file, start_s, end_s, label"),
        ([("turner.mp4", "0")], "needs a header and rows"),
        ([("other.mp4", "", "", "nothing")], "cannot read recording"),
    ],
)
def test_a_malformed_folder_is_refused(people, rows, says):
    write_truth(people, rows)
    with pytest.raises(MarEdgeError, match=says):
        list(footage.real(people))


def test_a_folder_without_truth_is_refused(tmp_path):
    with pytest.raises(MarEdgeError, match=r"cannot read .*; --real takes a folder with truth.csv and skeletons/"):
        list(footage.real(tmp_path))


def test_generated_footage_is_deterministic_and_follows_the_world():
    one, other = (next(iter(footage.generated(world, 1))) for world in (TRAINING, TRAINING))
    np.testing.assert_array_equal(one.joints, other.joints)
    assert one.events == other.events


def test_the_table_has_real_people_next_to_synthetic_ones(people):
    lines = statistics_table(TRAINING, 1, 1, people).splitlines()
    assert lines[0] == "| | synthetic | real |"
    assert lines[4].startswith("| windows framed: head and shoulders, % | ")
    assert lines[4].endswith(" | 100 (2) |")
    assert statistics_table(TRAINING, 1, 1, None).splitlines()[0] == "| | synthetic |"
