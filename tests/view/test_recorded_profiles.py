from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from view_messages import NODDING, Stream

from mar_edge.streaming.recognition.activity import ProfileRules
from mar_edge.streaming.recording.recorder import RecordConfig, Recorder
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.view import recorded_profiles, review
from mar_edge.view.review import Recordings


def recorded(folder: Path, *more: AnyMessage, labels: bool = True) -> Path:
    """Record 22 s of a person who nods at 7 s and at 16 s."""
    cam = Stream()
    with Recorder(RecordConfig(folder), "cam", "a" * 32) as recorder:
        recorder.write(EncodedMessage(cam.hello()))
        for tenth in range(221):
            at_s = tenth / 10
            # As of a sender that knows the media clock.
            skeleton = msgspec.structs.replace(cam.skeleton(at_s), t_media_ns=round(at_s * 1e9))
            recorder.write(EncodedMessage(skeleton))
            if labels and tenth >= 20 and tenth % 2 == 0:
                recorder.write(EncodedMessage(cam.label(at_s)))
            if tenth in (80, 180):
                recorder.write(EncodedMessage(cam.event(at_s, tenth, at_s - 1.0, None, NODDING)))
                recorder.write(EncodedMessage(cam.event(at_s, tenth, at_s - 1.0, at_s, NODDING)))
        for message in more:
            recorder.write(EncodedMessage(message))
        assert recorder.path is not None
        return recorder.path


def profiles(recordings: Recordings) -> list[list[dict[str, object]]]:
    """Return the profiles in each part."""
    parts = [json.loads(recordings.part(0, part)) for part in range(recordings.get(0).chunks)]
    return [[message for message in part if message["kind"] == "profile"] for part in parts]


def test_each_part_has_the_profiles_whose_windows_end_in_it(tmp_path: Path) -> None:
    recordings = Recordings([recorded(tmp_path)], profiles=ProfileRules(window_s=10.0, baseline_minutes=0.2))
    zero_ns = recordings.get(0).zero_ns
    found = profiles(recordings)
    ends = [[(one["t_end_ns"] - zero_ns) / 1e9 for one in part] for part in found]
    assert ends == [[], [5.0], [10.0], [15.0], [20.0]]
    totals = [one["total"] for part in found for one in part]
    assert [total["count"] for total in totals] == [0, 1, 1, 1]
    assert [total["baseline"] and total["baseline"]["count"] for total in totals] == [None, None, 1, 1]
    assert [one["baseline_complete"] for part in found for one in part] == [False, False, True, True]


def test_recorded_profiles_are_shown_as_they_were_sent(tmp_path: Path) -> None:
    sent = Stream().profile(22.0, {"head": 3})
    (found,) = [part for part in profiles(Recordings([recorded(tmp_path, sent)])) if part]
    assert [one["total"]["count"] for one in found] == [3]


def test_without_labels_there_is_no_profile(tmp_path: Path) -> None:
    assert not any(profiles(Recordings([recorded(tmp_path, labels=False)])))


def test_what_the_page_asks_for_at_once_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def slowly(module: ModuleType, name: str) -> None:
        reader = getattr(module, name)

        def counted(path: object) -> object:
            read.append(name)
            time.sleep(0.2)  # until all threads are here
            return reader(path)

        monkeypatch.setattr(module, name, counted)

    slowly(review, "index_recording")
    slowly(review, "read_timelines")
    slowly(recorded_profiles, "read_observed")
    recordings = Recordings([recorded(tmp_path)])
    with ThreadPoolExecutor() as pool:
        parts = list(pool.map(lambda _: recordings.part(0, 1), range(3)))
        list(pool.map(lambda _: recordings.coding(0, "Anna"), range(3)))
    assert len(set(parts)) == 1
    assert read == ["index_recording", "read_observed", "read_timelines"]
