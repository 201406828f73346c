"""One video becomes what ``serve --record`` makes of it, the same bytes each time, and never half of it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest
import tiny_manet
from numpy.typing import NDArray
from streaming_fakes import ScriptedPose, nod, read_number, write_video

from mar_edge.analysis import video as analysis
from mar_edge.analysis.inputs import Video
from mar_edge.analysis.result import VideoResult, read_result, reason_to_analyze
from mar_edge.analysis.video import Stages, analyze_video
from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.pictures.live import PictureModel
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.reader import read_messages
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve
from mar_edge.streaming.wire.answer_message import AnswerMessage
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, HelloMessage, LabelMessage, SkeletonMessage

FPS, FRAMES = 30.0, 150
RULES = PipelineRules(on=0.15)
SETTINGS = {"version": "test", "rules": "loose"}


class NodThenAway(ScriptedPose):
    """Poses of a person who nods and is out of the picture for a second."""

    def __init__(self) -> None:
        super().__init__(nod(40.0, hz=0.7))

    def estimate(self, image: NDArray[Any], t_s: float) -> list[Skeleton]:
        return [] if 80 <= read_number(image) < 110 else super().estimate(image, t_s)


@pytest.fixture(scope="module")
def recognizer(tiny_model: Path) -> Iterator[WindowRecognizer]:
    with WindowRecognizer.open(tiny_model, threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "Jörg 1.mp4", FRAMES)


def analyze(path: Path, folder: Path, recognizer: WindowRecognizer, settings: dict[str, Any] = SETTINGS) -> VideoResult:
    folder.mkdir(exist_ok=True)
    stages = Stages(NodThenAway(), recognizer, RULES, settings)
    return analyze_video(Video(path, path.stem, path.stem), folder, stages, lambda frames: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def on_media_clock(messages: list[AnyMessage]) -> list[tuple[object, ...]]:
    """Return what messages say of the video, without names, numbers and clocks of the sender."""
    zero_ns = next(message.t_zero_ns for message in messages if isinstance(message, HelloMessage))
    said: list[tuple[object, ...]] = []
    for m in messages:
        match m:
            case SkeletonMessage():
                said.append((m.frame, m.t_media_ns, m.segment, m.person, m.joints, m.scores))
            case LabelMessage():
                said.append((m.frame, m.person, m.top, m.gated, m.t_start_ns - zero_ns, m.t_end_ns - zero_ns))
            case EventMessage():
                ends_ns = None if m.t_end_ns is None else m.t_end_ns - zero_ns
                said.append((m.frame, m.event_id, m.label, m.phase, m.t_start_ns - zero_ns, ends_ns, m.score))
    return said


def recorded(path: Path) -> list[AnyMessage]:
    return [each.message for each in read_messages([path])]  # type: ignore[misc]


def test_the_recording_is_that_of_serve(
    clip: Path, tiny_model: Path, recognizer: WindowRecognizer, tmp_path: Path
) -> None:
    serve(
        ServeConfig(
            camera=str(clip), address="tcp://127.0.0.1:*", pipeline=RULES, record=RecordConfig(tmp_path / "served")
        ),
        NodThenAway,
        lambda: WindowRecognizer.open(tiny_model, threads=1),
    )
    (served,) = (tmp_path / "served").iterdir()
    result = analyze(clip, tmp_path / "analyzed", recognizer)
    mine = recorded(tmp_path / "analyzed" / "Jörg 1.jsonl")
    assert on_media_clock(mine) == on_media_clock(recorded(served))
    assert [message.seq for message in mine] == list(range(len(mine)))
    assert {(message.stream, message.run) for message in mine} == {("Jörg 1", mine[0].run)}
    assert len(result.events) >= 2
    assert (result.frames, result.frames_dropped, result.note) == (FRAMES, 0, "")
    assert result.duration_ns == pytest.approx(FRAMES / FPS * 1e9, abs=10)
    assert result.seen_ns == result.people[0].seen_ns == pytest.approx((FRAMES - 30) / FPS * 1e9, abs=10)


def test_the_same_video_gives_the_same_bytes(clip: Path, recognizer: WindowRecognizer, tmp_path: Path) -> None:
    analyze(clip, tmp_path / "one", recognizer)
    analyze(clip, tmp_path / "other", recognizer)
    one = contents(tmp_path / "one")
    assert sorted(one) == sorted(
        f"Jörg 1{end}"
        for end in (
            [".jsonl", ".eaf", ".boris", ".png", "_events.csv", "_events.tsv", "_events.json", "_analysis.json"]
        )
    )  # fmt: skip
    assert one == contents(tmp_path / "other")


def test_pictures_and_skeletons_together_give_the_same_bytes_as_well(
    clip: Path, recognizer: WindowRecognizer, tmp_path: Path
) -> None:
    model = tiny_manet.write(tmp_path / "pictures.onnx")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        with WindowRecognizer.open(model, threads=1) as seeing, PictureModel(seeing) as pictures:
            stages = Stages(NodThenAway(), recognizer, RULES, SETTINGS, pictures)
            result = analyze_video(Video(clip, clip.stem, clip.stem), tmp_path / name, stages, lambda frames: None)
        assert result.model == "tiny + tiny pictures"
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    answers = [each for each in recorded(tmp_path / "one" / "Jörg 1.jsonl") if isinstance(each, AnswerMessage)]
    assert [(answer.frame, answer.infer_ms) for answer in answers] == [(25, 0.0), (55, 0.0), (139, 0.0)]


def test_events_are_the_same_in_every_file(clip: Path, recognizer: WindowRecognizer, tmp_path: Path) -> None:
    result = analyze(clip, tmp_path / "out", recognizer)
    expected = [
        (event.label.name, f"{event.onset_ns / 1e9:.3f}", f"{event.offset_ns / 1e9:.3f}", f"{event.score:.3f}")
        for event in result.events
    ]
    table = list(csv.DictReader((tmp_path / "out" / "Jörg 1_events.csv").open(encoding="utf-8")))
    assert [(row["label"], row["start_s"], row["end_s"], row["score"]) for row in table] == expected
    bids = list(csv.DictReader((tmp_path / "out" / "Jörg 1_events.tsv").open(encoding="utf-8"), delimiter="\t"))
    ends = [f"{float(row['onset']) + float(row['duration']):.3f}" for row in bids]
    assert [
        (row["trial_type"], row["onset"], end, row["score"]) for row, end in zip(bids, ends, strict=True)
    ] == expected
    sidecar = json.loads((tmp_path / "out" / "Jörg 1_events.json").read_text(encoding="utf-8"))
    assert set(bids[0]) <= set(sidecar)
    assert {row["trial_type"] for row in bids} <= set(sidecar["trial_type"]["Levels"])
    (made,) = sidecar["GeneratedBy"]
    assert (made["Model"], made["Settings"], sidecar["Sources"]) == ("tiny", SETTINGS, ["Jörg 1.mp4"])


def test_a_finished_video_is_analyzed_again_only_for_a_reason(
    clip: Path, recognizer: WindowRecognizer, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    mine = tmp_path / clip.name
    mine.write_bytes(clip.read_bytes())
    assert reason_to_analyze(folder, read_result(folder, mine.stem), mine, SETTINGS) == "new"
    analyze(mine, folder, recognizer)

    def reason(video: Path = mine, settings: dict[str, Any] = SETTINGS) -> str:
        return reason_to_analyze(folder, read_result(folder, mine.stem), video, settings)

    assert reason() == ""
    os.utime(mine, ns=(1, 1))
    assert reason() == ""  # its content is the same
    assert reason(clip) == ""  # so is a copy's
    assert reason(settings=SETTINGS | {"rules": "strict"}) == "other rules"
    (folder / f"{mine.stem}.eaf").unlink()
    assert reason() == "results are missing"
    write_video(mine, FRAMES // 2)
    assert reason() == "the video has changed"
    with pytest.raises(MarEdgeError, match="another video of that name"):
        reason(write_video(tmp_path / "other.mp4", 10))
    (folder / f"{mine.stem}_analysis.json").write_text('{"name": "x"')
    assert reason() == "new"


def test_a_video_is_not_finished_while_its_files_are_replaced(
    clip: Path, recognizer: WindowRecognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    analyze(clip, folder, recognizer)
    (folder / "corrections.csv").write_text("the work of a coder")
    whole, put = contents(folder), analysis.put_in_place

    def killed_in_between(draft: Path, target: Path) -> None:
        if target.suffix == ".eaf":
            raise KeyboardInterrupt
        put(draft, target)

    monkeypatch.setattr(analysis, "put_in_place", killed_in_between)
    with pytest.raises(KeyboardInterrupt):
        analyze(clip, folder, recognizer)
    assert read_result(folder, clip.stem) is None
    monkeypatch.setattr(analysis, "put_in_place", put)
    analyze(clip, folder, recognizer)
    assert contents(folder) == whole


def test_other_settings_give_another_run(clip: Path, recognizer: WindowRecognizer, tmp_path: Path) -> None:
    """Corrections name the run, and do not fit the events of another model."""
    runs = []
    for settings in (SETTINGS, {"version": "other"}):
        analyze(clip, tmp_path / "out", recognizer, settings)
        runs.append(recorded(tmp_path / "out" / "Jörg 1.jsonl")[0].run)
    assert runs[0] != runs[1]


def test_a_damaged_video_is_analyzed_as_far_as_it_goes_and_says_so(
    clip: Path, recognizer: WindowRecognizer, tmp_path: Path
) -> None:
    with av.open(str(clip)) as container:
        hurt = [packet for packet in container.demux(video=0) if packet.size][40:44]
        places = [(packet.pos, packet.size) for packet in hurt]
    damaged = tmp_path / "damaged.mp4"
    content = bytearray(clip.read_bytes())
    for start, size in places:
        content[start : start + size] = b"\xff" * size
    damaged.write_bytes(content)
    result = analyze(damaged, tmp_path / "out", recognizer)
    assert result.frames + result.frames_dropped == FRAMES
    assert result.frames_dropped > 0
    assert f"{result.frames_dropped} pictures could not be decoded" in result.note


def test_the_date_is_the_video_s_own(clip: Path, tmp_path: Path) -> None:
    dated = tmp_path / "dated.mp4"
    with av.open(str(clip)) as source, av.open(str(dated), "w") as target:
        target.metadata["creation_time"] = "2024-05-06T07:08:09.000000Z"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert analysis._date_ns(dated) == 1714979289 * 10**9
    assert analysis._date_ns(clip) == 0


def test_a_result_that_names_files_elsewhere_is_none_of_ours(
    clip: Path, recognizer: WindowRecognizer, tmp_path: Path
) -> None:
    result = analyze(clip, tmp_path / "out", recognizer)
    path = tmp_path / "out" / "Jörg 1_analysis.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(result, files=("../../precious.csv",))))
    assert read_result(tmp_path / "out", "Jörg 1") is None
