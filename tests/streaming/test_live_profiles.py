"""Profiles of a live stream: over the wire, in its recording, and the same from the recording."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import ScriptedPose, nod, read_number, skeleton, write_video

from mar_edge import AnyMessage, HelloMessage, LabelSubscriber, ProfileMessage
from mar_edge.edge.data import Skeleton
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.activity import ProfileRules
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recognition.thresholds import LabelChoice
from mar_edge.streaming.recording.profiles import live_profiles, profiles_of, read_observed
from mar_edge.streaming.recording.reader import read_messages, recording_files
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve

RULES = ProfileRules(window_s=4.0, step_s=1.0, baseline_minutes=0.1)
SECONDS = 12
WHOLE = ProfileRules(window_s=float(SECONDS), step_s=float(SECONDS))


class TwoPeople(ScriptedPose):
    """One who nods all the time, and one who is there twice."""

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        at_s = read_number(image) / 30
        people = [skeleton(nod(40.0, hz=0.7)(at_s))]
        if 2.0 <= at_s < 5.0 or 8.0 <= at_s < 11.0:
            people.append(skeleton(nod(30.0, hz=0.9)(at_s), 1))
        return people


def serve_video(folder: Path, pose: ScriptedPose, model: Path, **options: Any) -> list[AnyMessage]:
    """Serve a video that is recorded, and return what a subscriber heard."""
    config = ServeConfig(
        camera=str(write_video(folder / "clip.mp4", 30 * SECONDS)),
        address=f"ipc://{folder}/wire",
        wait_subscribers=1,
        pipeline=PipelineRules(on=0.15, off=0.01, motion_gate=None),
        record=RecordConfig(folder / "recordings"),
        **options,
    )
    heard: list[AnyMessage] = []

    def listen() -> None:
        with LabelSubscriber(config.address, timeout_s=60, until_end=True) as subscriber:
            heard.extend(subscriber)
            assert (subscriber.lost, subscriber.malformed) == (0, 0)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    serve(config, lambda: pose, lambda: WindowRecognizer.open(model, threads=1))
    listener.join(60)
    return heard


@pytest.fixture(scope="module")
def served(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[AnyMessage]]:
    """Serve a video with profiles; return the recording, and what a subscriber heard."""
    folder = tmp_path_factory.mktemp("served")
    return folder / "recordings", serve_video(folder, TwoPeople(nod()), tiny_model, profile=RULES)


def profiles(messages: list[AnyMessage]) -> list[ProfileMessage]:
    return [message for message in messages if isinstance(message, ProfileMessage)]


def test_profiles_are_published_each_step_for_each_person_in_the_window(
    served: tuple[Path, list[AnyMessage]],
) -> None:
    _, heard = served
    hello = next(message for message in heard if isinstance(message, HelloMessage))
    ends_s = {
        person: [round((one.t_end_ns - hello.t_zero_ns) / 1e9, 3) for one in profiles(heard) if one.person == person]
        for person in (0, 1)
    }
    assert ends_s == {
        0: [float(end) for end in range(1, SECONDS + 1)],
        1: [float(end) for end in range(3, SECONDS + 1)],
    }
    assert {one.t_end_ns - one.t_start_ns for one in profiles(heard)} == {4_000_000_000}
    assert [one.seq for one in heard] == list(range(len(heard)))
    assert heard[-1].kind == "end"
    # What came after the last inference before they left is not observed.
    assert profiles(heard)[-1].total.in_view_s == pytest.approx(3.0, abs=0.2 + 1 / 30)
    assert [one.baseline_complete for one in profiles(heard) if one.person == 0] == [False] * 5 + [True] * 7
    assert max(one.total.count for one in profiles(heard)) > 0


def test_a_recording_gives_the_same_profiles_as_live(served: tuple[Path, list[AnyMessage]]) -> None:
    folder, heard = served
    (observed,) = read_observed([folder])
    (found,) = live_profiles([folder], [observed.timeline], RULES)
    sent = profiles(heard)
    assert len(found) == len(sent) > 15
    for one, message in zip(found, sent, strict=True):
        assert (one.person, one.start_ns, one.end_ns) == (message.person, message.t_start_ns, message.t_end_ns)
        assert (one.total, one.bodies) == (message.total, message.bodies)
        # A table lists the actions of the whole recording.
        assert [each for each in one.actions if each in message.actions] == list(message.actions)
        assert all(each.count == 0 == each.duration_s for each in one.actions if each not in message.actions)
        assert (one.baseline_s, one.baseline_complete) == (message.baseline_s, message.baseline_complete)


def test_a_live_profile_is_compared_with_a_baseline_recording(tiny_model: Path, tmp_path: Path) -> None:
    pose = ScriptedPose(nod(40.0, hz=0.7))
    assert not profiles(serve_video(tmp_path, pose, tiny_model))
    rest = tmp_path / "rest"
    (tmp_path / "recordings").rename(rest)
    (expected,) = (profiles_of(one, WHOLE) for one in read_observed([rest]))
    rules = ProfileRules(window_s=4.0, step_s=4.0)
    heard = profiles(serve_video(tmp_path, pose, tiny_model, profile=rules, profile_baseline=rest))
    assert [one.baseline_complete for one in heard] == [True] * 3
    assert {(base.count, base.duration_s) for one in heard if (base := one.total.baseline)} == {
        (expected[0].total.count, expected[0].total.duration_s)
    }
    assert expected[0].total.count > 0


def test_profiles_are_recorded(served: tuple[Path, list[AnyMessage]]) -> None:
    folder, heard = served
    recorded = [one.message for one in read_messages(recording_files([folder]))]
    assert [one for one in recorded if isinstance(one, ProfileMessage)] == profiles(heard)


def test_profiles_as_live_of_chosen_actions(served: tuple[Path, list[AnyMessage]]) -> None:
    folder, _ = served
    (observed,) = read_observed([folder])
    label = observed.timeline.events[0].label
    some = observed.timeline.only(LabelChoice(only=(label.name,)), 0.0)
    (found,) = live_profiles([folder], [some], RULES)
    assert {each.name for one in found for each in one.actions} == {label.name}
    assert {each.name for one in found for each in one.bodies} == {label.body}
    assert max(one.total.count for one in found) > 0


def test_where_all_is_over_the_live_numbers_are_the_final_ones(served: tuple[Path, list[AnyMessage]]) -> None:
    folder, _ = served
    (observed,) = read_observed([folder])
    (live,) = live_profiles([folder], [observed.timeline], WHOLE)
    assert [one.total for one in live] == [one.total for one in profiles_of(observed, WHOLE)]
    assert sum(one.total.count for one in live) == len(observed.timeline.events)
