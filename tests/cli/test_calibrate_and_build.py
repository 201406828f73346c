"""``export --precision fp16``, ``calibrate`` and ``build`` as a user runs them."""

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import parse_metadata
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.edge.runtime.tensorrt import targets


def test_export_writes_fp16_from_a_model_file(cli, here, ma52_model, tmp_path):
    out = tmp_path / "half.onnx"
    done = cli("export", ma52_model.path, "--precision", "fp16", "--windows", 8, "--min-agreement", 0.5, "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"{out}: fp16, 0." in done.stdout
    assert "of 8 windows" in done.stdout
    assert str(tmp_path / "half.md") in done.stdout
    assert parse_metadata(read_metadata(out), str(out)).fidelity.windows == 8
    assert "fp16, the same label as FP32 on" in here("models", out).stdout


def test_export_and_calibrate_refuse_wrong_inputs(user_error, ma52_model, tmp_path):
    out = tmp_path / "x.onnx"
    assert "is a model file already" in user_error("export", ma52_model.path, "--out", out)
    assert "too few to calibrate on" in user_error("calibrate", ma52_model.path, "--clips", 10, "--out", out)
    assert "no data set 'people'" in user_error("calibrate", ma52_model.path, "--data", "people", "--out", out)
    assert not list(tmp_path.iterdir())


def test_calibrate_takes_one_or_the_other(user_error, tmp_path):
    out = ("--out", tmp_path / "x")
    assert "one of the two" in user_error("calibrate", *out)
    assert "one of the two" in user_error("calibrate", "model.onnx", "--pose", "holistic", *out)
    assert "--pose needs --frames" in user_error("calibrate", "--pose", "holistic", *out)
    assert "go with --pose" in user_error("calibrate", "model.onnx", "--precision", "fp16", *out)
    wrong = user_error("calibrate", "--pose", "holistic", "--frames", tmp_path, "--min-agreement", "0.9", *out)
    assert "only --max-error and --force go with --pose" in wrong


def test_build_writes_an_engine(cli, user_error, ma52_model, tmp_path):
    pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX has no wheel for this machine")
    out, layers = tmp_path / "model.engine", tmp_path / "layers.tsv"
    done = cli("build", ma52_model.path, "--target", "sm86", "--batch", "1,2", "--out", out, "--layers", layers)
    assert done.returncode == 0, done.stderr
    assert f"{out}: fp32 for sm86, batch 1 to 2" in done.stdout
    assert out.stat().st_size > 1000
    assert "mlp.fc1/MatMul" in layers.read_text()
    assert "not for sm90" in user_error("build", ma52_model.path, "--target", "sm90", "--out", tmp_path / "y.engine")
    assert "name the file to write, with --out" in user_error("build", ma52_model.path, "--target", "sm86")
    assert "name ends in .engine" in user_error("build", ma52_model.path, "--target", "sm86", "--out", tmp_path / "y")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layers.tsv", "model.engine", "model.engine.json"]


def why_no_gpu():
    try:
        targets.this_gpu()
    except MarEdgeError as error:
        return str(error)
    return None


@pytest.mark.skipif(why_no_gpu() is None, reason="there is a GPU here")
def test_tensorrt_where_there_is_no_gpu(user_error, ma52_model):
    assert why_no_gpu() in user_error("bench", ma52_model.path, "--runtime", "tensorrt", "--batch", 1)
