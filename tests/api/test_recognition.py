"""``recognize`` and ``Recognizer`` give the events of ``mar-edge serve`` and ``replay``, from every kind of source."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import LAYOUT, ScriptedPose, V, nod, numbered_image, read_number, write_video

import mar_edge
from mar_edge.edge import recognizer as edge
from mar_edge.edge.data import Skeleton
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.base import check_image
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, HelloMessage

FPS, FRAMES = 30.0, 150
THRESHOLD = 0.15
MOTION = nod(40.0, hz=0.7)


class NodThenAway(ScriptedPose):
    """Poses of a person who nods and is out of the picture for a second. Counts how often it is closed.

    Of an image it looks at the upper half alone, so that images of two heights show the same.
    """

    closed = 0

    def __init__(self) -> None:
        super().__init__(MOTION)

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        return [] if 80 <= read_number(image[:32]) < 110 else super().estimate(image[:32], t_s)

    def __exit__(self, *exc_info: object) -> None:
        self.closed += 1


def served(config: ServeConfig, model: Path) -> list[tuple[object, ...]]:
    """Return the ended events of ``serve``: label, body, person, start and end in seconds, score."""
    messages: list[AnyMessage] = []
    serve(config, NodThenAway, lambda: edge.WindowRecognizer.open(model), messages.append)
    zero_ns = next(message.t_zero_ns for message in messages if isinstance(message, HelloMessage))
    return [
        (
            m.label.name,
            m.label.body,
            m.person,
            _seconds(m.t_start_ns - zero_ns),
            _seconds(m.t_end_ns - zero_ns),
            m.score,
        )
        for m in messages
        if isinstance(m, EventMessage) and m.phase == "end" and m.t_end_ns is not None
    ]


def ended_events(events: list[mar_edge.Event]) -> list[tuple[object, ...]]:
    return [
        (e.label, e.body, e.person, round(e.start_s, 6), round(e.end_s, 6), e.score) for e in events if not e.is_open
    ]


def _seconds(t_ns: int) -> float:
    return round(t_ns / 1e9, 6)


@pytest.fixture(scope="module")
def address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", FRAMES)


@pytest.fixture(scope="module")
def recording(video: Path, address: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    rules = PipelineRules(on=THRESHOLD)
    served(ServeConfig(camera=str(video), address=address, pipeline=rules, record=RecordConfig(folder)), tiny_model)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def expected(video: Path, address: str, tiny_model: Path) -> list[tuple[object, ...]]:
    events = served(ServeConfig(camera=str(video), address=address, pipeline=PipelineRules(on=THRESHOLD)), tiny_model)
    assert len(events) >= 2
    return events


def images() -> Iterator[tuple[NDArray[np.uint8], float]]:
    for number in range(FRAMES):
        yield numbered_image(number), number / FPS


def skeletons() -> NDArray[np.float32]:
    """Return what the pose stage gives for the video: (T, V, 2)."""
    joints = np.stack([MOTION(number / FPS) for number in range(FRAMES)]).round(2)
    joints[80:110] = np.nan
    return joints


def test_a_video_gives_the_events_of_serve(video: Path, tiny_model: Path, expected: list[tuple[object, ...]]) -> None:
    pose = NodThenAway()
    events = list(mar_edge.recognize(video, model=tiny_model, pose=pose, thresholds=THRESHOLD))
    assert ended_events(events) == expected
    assert pose.closed == 1
    assert [event.event_id for event in events] == sorted(event.event_id for event in events)


def test_a_recording_gives_the_events_of_replay(
    recording: Path, address: str, tiny_model: Path, expected: list[tuple[object, ...]]
) -> None:
    rules = PipelineRules(on=THRESHOLD)
    replayed = served(ServeConfig(camera="", address=address, pipeline=rules, replay=(recording,)), tiny_model)
    for source in (recording, str(recording.parent)):
        events = list(mar_edge.recognize(source, model=tiny_model, thresholds=THRESHOLD))
        assert ended_events(events) == replayed == expected


def test_images_with_times_give_the_events_of_the_video(tiny_model: Path, expected: list[tuple[object, ...]]) -> None:
    events = list(mar_edge.recognize(images(), model=tiny_model, pose=NodThenAway(), thresholds=THRESHOLD))
    assert ended_events(events) == expected


@pytest.mark.parametrize("with_scores", [False, True])
def test_skeletons_give_the_events_of_the_video(
    tiny_model: Path, expected: list[tuple[object, ...]], with_scores: bool
) -> None:
    joints = skeletons()
    if with_scores:
        joints = np.concatenate([joints, np.full((FRAMES, V, 1), 0.9, np.float32)], axis=2)
    options = {"model": tiny_model, "thresholds": THRESHOLD}
    assert ended_events(list(mar_edge.recognize(joints, fps=FPS, **options))) == expected
    times_s = np.arange(FRAMES) / FPS
    assert ended_events(list(mar_edge.recognize(joints, times_s=times_s, **options))) == expected


def test_several_persons_are_kept_apart(tiny_model: Path, expected: list[tuple[object, ...]]) -> None:
    still = np.repeat(MOTION(0.0)[None], FRAMES, axis=0)
    options = {"model": tiny_model, "thresholds": THRESHOLD}
    events = ended_events(list(mar_edge.recognize({7: still, 3: skeletons()}, fps=FPS, **options)))
    assert events == [(label, body, 3, *rest) for label, body, _, *rest in expected]
    # Tracks have times of their own: one begins half a second later.
    later = mar_edge.skeleton_track(skeletons(), times_s=0.5 + np.arange(FRAMES) / FPS, person=1)
    both = list(mar_edge.recognize([mar_edge.skeleton_track(still, fps=FPS, person=7), later], **options))
    assert {event.person for event in both} == {1}
    assert both[0].start_s == pytest.approx(0.5 + expected[0][3], abs=1 / FPS)  # type: ignore[operator]


def test_the_skeletons_of_a_recording_give_its_events(
    recording: Path, tiny_model: Path, expected: list[tuple[object, ...]]
) -> None:
    read = mar_edge.read_recording(recording)
    events = list(mar_edge.recognize(read.skeletons, model=tiny_model, thresholds=THRESHOLD))
    assert ended_events(events) == ended_events(read.events) == expected


def test_frame_by_frame_the_same_events_begin_last_and_end(
    tiny_model: Path, expected: list[tuple[object, ...]]
) -> None:
    begun: dict[int, mar_edge.Event] = {}
    ended: list[mar_edge.Event] = []
    scores: list[mar_edge.LabelScores] = []
    with mar_edge.Recognizer(tiny_model, pose=NodThenAway(), thresholds=THRESHOLD) as recognizer:
        for image, t_s in images():
            update = recognizer.push(image, t_s)
            assert update.t_s == t_s
            begun |= {event.event_id: event for event in update.begun}
            ended += update.ended
            scores += update.scores
            for event in update.updated:
                assert begun[event.event_id].start_s == event.start_s
                assert (event.is_open, event.end_s) == (True, t_s)
        ended += recognizer.finish().ended
    assert ended_events(ended) == expected
    assert sorted(begun) == sorted(event.event_id for event in ended)
    assert all(event.is_open for event in begun.values())
    labels = mar_edge.load_model(tiny_model).labels
    assert all(list(of_one.scores) in ([], list(labels)) for of_one in scores)
    newest = next(of_one for of_one in scores if of_one.scores)
    assert 0.0 <= min(newest.scores.values()) <= max(newest.scores.values()) <= 1.0
    assert newest.start_s < newest.end_s


def test_joints_alone_frame_by_frame(tiny_model: Path, expected: list[tuple[object, ...]]) -> None:
    with mar_edge.Recognizer(tiny_model, thresholds=THRESHOLD) as recognizer:
        ended: list[mar_edge.Event] = []
        for number, joints in enumerate(skeletons()):
            seen = {} if np.isnan(joints).all() else {0: joints}
            ended += recognizer.push(seen if number % 2 else joints, number / FPS).ended
        ended += recognizer.finish().ended
    assert ended_events(ended) == expected


def test_closing_the_generator_closes_all_that_it_opened(video: Path, tiny_model: Path) -> None:
    before = set(threading.enumerate())
    pose = NodThenAway()
    with mar_edge.load_model(tiny_model) as model:
        events = mar_edge.recognize(video, model=model, pose=pose, thresholds=THRESHOLD)
        next(events)
        assert set(threading.enumerate()) - before
        events.close()
        assert pose.closed == 1
        assert set(threading.enumerate()) <= before
        # A model that was given stays open.
        assert model.predict([mar_edge.skeleton_track(skeletons()[:60], fps=FPS)])


def test_images_of_another_size_begin_a_new_movement(tiny_model: Path) -> None:
    with mar_edge.Recognizer(tiny_model, pose=NodThenAway(), thresholds=THRESHOLD) as recognizer:
        open_events: tuple[mar_edge.Event, ...] = ()
        for image, t_s in images():
            open_events = recognizer.push(image, t_s).begun
            if open_events:
                break
        taller = np.concatenate([image, image])
        ended = recognizer.push(taller, t_s + 1 / FPS).ended
        assert [event.event_id for event in ended] == [event.event_id for event in open_events]


def test_only_some_labels_and_thresholds_by_name(tiny_model: Path, expected: list[tuple[object, ...]]) -> None:
    names = {label for label, *_ in expected}
    options = {"fps": FPS, "model": tiny_model}
    denied = ",".join(f"-{name}" for name in names)
    others = list(mar_edge.recognize(skeletons(), thresholds=THRESHOLD, labels=denied, **options))
    assert not names & {event.label for event in others}
    by_name = dict.fromkeys(names, THRESHOLD)
    assert names <= {event.label for event in mar_edge.recognize(skeletons(), thresholds=by_name, **options)}
    assert not list(mar_edge.recognize(skeletons(), thresholds=1.0, **options))


def test_a_prior_is_a_name_or_rates_by_label(tiny_model: Path) -> None:
    options = {"fps": FPS, "model": tiny_model, "thresholds": THRESHOLD}
    with mar_edge.load_model(tiny_model) as model:
        rates = dict.fromkeys(model.labels, 1.0)
    even = ended_events(list(mar_edge.recognize(skeletons(), prior="uniform", **options)))
    assert ended_events(list(mar_edge.recognize(skeletons(), prior=rates, **options))) == even
    rare = rates | {label: 1e-9 for label, *_ in even}
    assert ended_events(list(mar_edge.recognize(skeletons(), prior=rare, **options))) != even


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ("nowhere.mp4", {}, "no such video file"),
        ("nowhere.jsonl", {}, "no recording at"),
        (np.zeros((5, V)), {"fps": 30}, r"joints are \(T, V, 2\)"),
        (np.zeros((5, V, 2)), {}, "give either times_s"),
        (np.zeros((5, V, 2)), {"fps": 30, "times_s": [0, 1, 2, 3, 4]}, "give either times_s"),
        (np.zeros((5, V, 2)), {"fps": 0}, "fps is more than 0"),
        (np.zeros((5, V, 2)), {"times_s": [0, 1, 1, 2, 3]}, "strictly increasing"),
        (np.zeros((5, 22, 2)), {"fps": 30}, "takes the layout ma52, 44 joints"),
        ("demo:", {"fps": 30}, "times_s and fps are for arrays"),
        ([(numbered_image(0), 1.0), (numbered_image(1), 1.0)], {}, "frames come in order"),
        (5.5, {}, "not a source: float"),
        (np.zeros((5, V, 2)), {"fps": 30, "thresholds": 1.5}, "thresholds are"),
        (np.zeros((5, V, 2)), {"fps": 30, "thresholds": {"nodd": 0.5}}, "did you mean 'nodding'"),
        (np.zeros((5, V, 2)), {"fps": 30, "model": "nowhere.onnx"}, "nowhere.onnx"),
        (np.zeros((5, V, 2)), {"fps": 30, "prior": "nowhere.csv"}, "nowhere.csv"),
    ],
)
def test_mistakes_are_one_line(source: object, options: dict, says: str, tiny_model: Path) -> None:
    with pytest.raises(mar_edge.MarEdgeError, match=says) as raised:
        list(mar_edge.recognize(source, **({"model": tiny_model, "pose": NodThenAway()} | options)))
    assert "\n" not in str(raised.value)


def test_a_pose_stage_of_another_layout_is_refused(video: Path, tiny_model: Path) -> None:
    class OtherLayout(NodThenAway):
        def __init__(self) -> None:
            super().__init__()
            self.layout = load_layout("imigue")

    with pytest.raises(mar_edge.MarEdgeError, match="takes ma52 skeletons, the pose stage 'scripted' gives imigue"):
        list(mar_edge.recognize(video, model=tiny_model, pose=OtherLayout()))
    assert LAYOUT.name == "ma52"


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (
            np.zeros((480, 640), np.uint8),
            r"a frame is an image \(H, W, 3\), or joints .*; given was an array \(480, 640\)",
        ),
        (np.zeros((32, 192, 4), np.uint8), r"BGR images of shape \(H, W, 3\)"),
        ({0: np.zeros(V)}, r"a frame is an image .*; given was an array \(44,\)"),
        (np.zeros((22, 2)), "skeletons of 22 joints"),
    ],
)
def test_frames_that_are_neither_images_nor_skeletons(frame: object, says: str, tiny_model: Path) -> None:
    class Checked(NodThenAway):
        def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
            check_image(image)
            return super().estimate(image, t_s)

    with (
        mar_edge.Recognizer(tiny_model, pose=Checked()) as recognizer,
        pytest.raises(mar_edge.MarEdgeError, match=says),
    ):
        recognizer.push(frame, 0.0)
