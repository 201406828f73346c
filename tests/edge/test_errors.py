"""A misspelled name is answered with the closest known one, wherever a user writes names."""

from pathlib import Path

import pytest
from recorded_runs import two_people

from mar_edge.cli.config_file import OptionKind, read_config
from mar_edge.cli.main import with_suggestion
from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import background_label, ma52_labels
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.runtime.tensorrt.bindings import Bindings
from mar_edge.edge.runtime.tensorrt.targets import resolve
from mar_edge.edge.zoo.catalog import known_model
from mar_edge.streaming.capture.capture_modes import CaptureMode
from mar_edge.streaming.capture.sources import parse_source
from mar_edge.streaming.recognition.thresholds import LabelChoice, chosen
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.subscriber import LabelSubscriber
from mar_edge.training.datasets.opening import parse_spec
from mar_edge.training.datasets.recordings import open_recordings
from mar_edge.training.synth.command import write_drawing

KINDS = {"camera": OptionKind((str,), "text"), "stride_s": OptionKind((float,), "a number")}


def test_only_close_names_are_suggested():
    assert did_you_mean("nooding", ["nodding", "bowing head"]) == "; did you mean 'nodding'?"
    assert did_you_mean("Stride-S", ["stride_s"]) == "; did you mean 'stride_s'?"
    assert did_you_mean("flying", ["nodding"]) == ""
    assert did_you_mean("x", []) == ""


def config(tmp_path, text):
    path = tmp_path / "mar-edge.toml"
    path.write_text(text)
    return read_config(path, KINDS)


def labels_csv(tmp_path):
    (tmp_path / "labels.csv").write_text("recording,start_s,end_s,label\ncam,1,2,nooding\n")
    return open_recordings(tmp_path)


def recorded(tmp_path):
    path = two_people().write(tmp_path / "cam.jsonl")
    stream = read_timelines([path])[0].stream
    return read_timelines([path], f"{stream}x")


LABELS = (*ma52_labels(), background_label())
MISSPELLED = {
    "--labels": (lambda _: chosen(LABELS, None, LabelChoice.parse("nooding")), "nodding"),
    "--labels, a group": (lambda _: chosen(LABELS, None, LabelChoice.parse("-haed")), "head"),
    "a config's option": (lambda path: config(path, "camra = 0"), "camera"),
    "a config's table": (lambda path: config(path, "[threshold]\nhead = 0.5"), "thresholds"),
    "--data": (lambda _: parse_spec("sinth"), "synth"),
    "--data with a folder": (lambda _: parse_spec("ma25:folder"), "ma52"),
    "--data with a split": (lambda _: parse_spec("ma52-tets:folder"), "ma52-test"),
    "--action": (lambda path: write_drawing(path / "a.mp4", "noding", 1), "nodding"),
    "labels.csv": (labels_csv, "nodding"),
    "a pose model": (lambda _: known_model("rmtw-m", "pose"), "rtmw-m"),
    "--target": (lambda _: resolve("orrin", Bindings("tensorrt", "10.3", None)), "orin"),
    "--focus": (lambda _: Focus.parse("largets", 1), "largest"),
    "--kind": (lambda _: LabelSubscriber(kinds=["evnt"]), "event"),
    "a kind of camera": (lambda _: parse_source("rstp://10.0.0.7/s", CaptureMode()), "rtsp"),
    "--stream": (recorded, "cam"),
}


@pytest.mark.parametrize("where", MISSPELLED)
def test_a_misspelled_name_is_answered_with_the_closest_one(tmp_path, where):
    write, meant = MISSPELLED[where]
    with pytest.raises(MarEdgeError, match=rf"; did you mean '{meant}.*'\?$"):
        write(tmp_path)


def test_a_misspelled_choice_is_answered_too():
    said = "Invalid value for '--runtime': 'openvin' is not one of 'auto', 'onnxruntime', 'openvino'."
    assert with_suggestion(said).endswith("'openvino'; did you mean 'openvino'?")
    assert with_suggestion("No such option: --x") == "No such option: --x"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_a_config_with_a_byte_order_mark_is_read(tmp_path, encoding):
    path = tmp_path / "bom.toml"
    path.write_text('camera = "0"\n', encoding=encoding)
    assert read_config(path, KINDS).options == {"camera": "0"}


def test_a_config_in_utf_16_is_refused(tmp_path):
    path = tmp_path / "wide.toml"
    path.write_text('camera = "0"\n', encoding="utf-16")
    with pytest.raises(MarEdgeError, match="is UTF-16 text; save it as UTF-8"):
        read_config(path, KINDS)


def test_the_shared_config_with_a_byte_order_mark_is_read(shared):
    path: Path = shared("cases/bom.toml")
    assert read_config(path, {"quiet": OptionKind((bool,), "true or false")}).options == {"quiet": True}
