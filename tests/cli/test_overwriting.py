"""Every command that writes refuses to overwrite its inputs, before any work."""

import os

import clips
import networks
import pytest
from recorded_runs import two_people

from mar_edge.cli.main import command_line
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import default_model_path
from mar_edge.training.synth.command import write_clips


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Return a folder with one file of each kind that a command reads."""
    folder = tmp_path_factory.mktemp("given")
    networks.save_state_dict(folder / "joint.onnx", networks.golden(networks.MA52))
    networks.save_state_dict(folder / "bone.onnx", networks.golden(networks.MA52, 7))
    (folder / "labels.onnx").write_text("id,action\n0,a\n")
    (folder / "confidence.onnx").write_text("{}")
    (folder / "model.onnx").write_bytes(default_model_path().read_bytes())
    write_clips(folder / "clips.npz", 2, 1)
    clips.write_authors(folder, "ma52", "val", [0], 2)
    two_people().write(folder / "cam.csv")
    (folder / "video.csv").write_bytes(b"not really")
    (folder / "start.pt").write_bytes(b"not really")
    return folder


EXPORT = ("export", "joint.onnx", "bone.onnx", "--stream", "both", "--labels", "labels.onnx", "--out")
MODEL = ("evaluate", "model.onnx")
COMMANDS = {
    "export, the checkpoint": (*EXPORT, "joint.onnx"),
    "export, the bone checkpoint": (*EXPORT, "bone.onnx"),
    "export, the labels": (*EXPORT, "labels.onnx"),
    "export, the confidence": ("export", "joint.onnx", "--confidence", "confidence.onnx", "--out", "confidence.onnx"),
    "export, the full model": ("export", "model.onnx", "--precision", "fp16", "--out", "model.onnx"),
    "calibrate, the model": ("calibrate", "model.onnx", "--out", "model.onnx"),
    "evaluate, the model": (*MODEL, "--confidence", "model.onnx"),
    "evaluate, the labels": (*MODEL, "--labels", "labels.onnx", "--submission", "labels.onnx"),
    "evaluate, the data": (*MODEL, "--data", "clips.npz", "--submission", "clips.npz"),
    "evaluate, the authors' data": (*MODEL, "--data", "ma52:.", "--submission", "val_data.pkl"),
    "bench, the model": ("bench", "model.onnx", "--json", "model.onnx"),
    "bench, the pose model": ("bench", "--pose", "model.onnx", "--json", "model.onnx"),
    "build, the model": ("build", "model.onnx", "--layers", "model.onnx"),
    "annotations, the recording": ("annotations", "cam.csv", "--out", "cam.csv"),
    "annotations, the video": ("annotations", "cam.csv", "--media", "video.csv", "--out", "video.csv"),
    "plot, the recording": ("plot", "cam.csv", "--out", "cam.csv"),
}


@pytest.mark.parametrize("how", ["as it is", "linked"])
@pytest.mark.parametrize("case", COMMANDS)
def test_no_command_overwrites_its_inputs(given, tmp_path, monkeypatch, case, how):
    monkeypatch.chdir(given)
    *arguments, out = COMMANDS[case]
    if how == "linked":
        other = tmp_path / out
        os.link(out, other)
        out = str(other)
    before = {path: path.read_bytes() for path in given.iterdir() if path.is_file()}
    with pytest.raises(MarEdgeError, match="which would be lost; name another"):
        command_line()([*arguments, out], standalone_mode=False)
    assert {path: path.read_bytes() for path in given.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    "command", [("export", "joint.onnx"), ("export", "model.onnx", "--precision", "fp16"), ("calibrate", "model.onnx")]
)
@pytest.mark.parametrize("wrong", [("folder.onnx", "it is a folder"), ("b.pt", "name ends in .onnx")])
def test_a_wrong_output_is_refused_before_any_work(given, tmp_path, monkeypatch, command, wrong):
    import mar_edge.export.onnx_file

    def too_late(*_, **__):
        raise AssertionError("minutes of work")

    monkeypatch.setattr(mar_edge.export.onnx_file, "to_onnx", too_late)
    monkeypatch.setattr("mar_edge.calibration.command.read_full", too_late)
    monkeypatch.chdir(given)
    (tmp_path / "folder.onnx").mkdir()
    out, expected = wrong
    with pytest.raises(MarEdgeError, match=expected):
        command_line()([*command, "--out", str(tmp_path / out)], standalone_mode=False)
