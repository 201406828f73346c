"""``calibrate`` and ``export --precision fp16``: the guard, the report, the cache."""

import numpy as np
import onnx
import pytest

from mar_edge.calibration import command
from mar_edge.calibration.command import Guard, read_full, write_half, write_int8
from mar_edge.calibration.data import EFFORTS, Effort
from mar_edge.calibration.windows import Windows
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import parse_metadata
from mar_edge.edge.recognizer import WindowRecognizer

GUARD = Guard(windows=24, threads=1, min_agreement=0.5, max_class_drop=1.0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MAR_EDGE_CACHE", str(tmp_path / "cache"))
    # Every layer is tried on 2 windows, choices of layers on 64.
    monkeypatch.setattr(command, "EFFORTS", dict.fromkeys(EFFORTS, Effort(costs_on=2, choose_on=64)))


def silent(what, done, total):
    pass


def said(path):
    props = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    return parse_metadata(props["mar_edge"], str(path))


def test_half_is_written_with_what_was_compared(ma52_model, tmp_path):
    out = tmp_path / "new" / "half.onnx"
    written = write_half(ma52_model.path, out, GUARD, silent)
    metadata = said(out)
    assert metadata == written.metadata
    assert (metadata.precision, metadata.fidelity.windows) == ("fp16", 24)
    assert "of a held-out world" in metadata.fidelity.data
    assert metadata.labels == said(ma52_model.path).labels
    assert written.passed
    assert 0.5 < written.size < 0.7
    report = written.report.read_text()
    assert "tiny joint, fp16" in report
    assert f"{metadata.fidelity.agreement:.4f}" in report
    assert sorted(p.name for p in out.parent.iterdir()) == ["half.md", "half.onnx"]
    with WindowRecognizer.open(out, threads=1) as recognizer:
        assert recognizer.metadata.precision == "fp16"


def test_the_guard_refuses_and_names_what_hurts(ma52_model, tmp_path, monkeypatch):
    ask = command.predict

    def spoiled(model, windows, *arguments, **options):
        probs = ask(model, windows, *arguments, **options)
        half = any(t.data_type == onnx.TensorProto.FLOAT16 for t in model.graph.initializer)
        return np.roll(probs, 1, axis=1) if half else probs

    monkeypatch.setattr(command, "predict", spoiled)
    out = tmp_path / "half.onnx"
    with pytest.raises(MarEdgeError, match=r"--windows and --data: .* 8 different windows, .*; at least 50"):
        write_half(ma52_model.path, out, Guard(windows=8, threads=1), silent)
    guard = Guard(windows=50, threads=1)
    with pytest.raises(MarEdgeError, match=r"half\.onnx not written: it agrees with FP32 on 0\.00 % of 50") as error:
        write_half(ma52_model.path, out, guard, silent)
    assert "scales.0.blocks.0.mix" in str(error.value)
    assert "--force" in str(error.value)
    assert not list(tmp_path.glob("half*"))
    written = write_half(ma52_model.path, out, Guard(windows=8, threads=1, force=True), silent)
    assert not written.passed
    assert said(out).fidelity.agreement == 0


def test_the_guard_refuses_where_one_label_is_lost(ma52_model, tmp_path, monkeypatch):
    def answers(model, windows, *_, **__):
        """Answer everything correctly; in half precision not the first labeled window."""
        told = np.maximum(windows.labels, 0)
        if any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in model.graph.initializer):
            first = np.flatnonzero(windows.labels >= 0)[:1]
            told[first] = (told[first] + 1) % K
        return np.eye(K, dtype=np.float32)[told]

    K = len(said(ma52_model.path).labels)
    monkeypatch.setattr(command, "predict", answers)
    monkeypatch.setattr("mar_edge.calibration.sensitivity.predict", answers)
    monkeypatch.setattr("mar_edge.calibration.comparison.FEWEST_OF_A_CLASS", 1)
    guard = Guard(windows=24, threads=1, min_agreement=0.5, max_class_drop=0.03)
    with pytest.raises(
        MarEdgeError, match=r"windows of '.*' accuracy is \d+\.0 points below FP32.* --max-class-drop 3;"
    ):
        write_half(ma52_model.path, tmp_path / "half.onnx", guard, silent)
    assert not list(tmp_path.glob("half*"))


def test_int8_is_written_and_its_measurements_are_kept(ma52_model, tmp_path):
    out = tmp_path / "int8.onnx"
    told = []
    written = write_int8(ma52_model.path, out, GUARD, lambda what, *_: told.append(what), calibrate_on=64)
    assert said(out).precision == "int8"
    assert written.size < 0.55
    assert "mlp.fc1" in written.report.read_text()
    assert {"ranges", "layers"} <= set(told)
    with WindowRecognizer.open(out, threads=1) as recognizer:
        assert recognizer.metadata.fidelity == written.metadata.fidelity

    told.clear()
    again = write_int8(ma52_model.path, out, GUARD, lambda what, *_: told.append(what), calibrate_on=64)
    assert not {"ranges", "layers"} & set(told)
    assert again.metadata == written.metadata
    kept = next((tmp_path / "cache" / "calibration").iterdir())
    kept.write_text("damaged")
    assert command.read_calibration(kept.parent, kept.stem) is None


def test_another_model_other_windows_and_another_method_have_other_keys(ma52_model):
    model, _ = read_full(ma52_model.path)
    rng = np.random.default_rng(0)
    skeleton, index_t = rng.random((3, 64, 44, 2), np.float32), rng.random((3, 64), np.float32)
    windows = Windows({"skeleton": skeleton, "index_t": index_t}, np.zeros(3, np.int64), "x")
    other = Windows({"skeleton": skeleton + np.float32(1e-3), "index_t": index_t}, windows.labels, "x")
    changed = onnx.ModelProto.FromString(model.SerializeToString())
    changed.graph.node[0].name = "another"
    key = command.calibration_key
    keys = {
        key(model, windows, "entropy", 64),
        key(model, windows, "minmax", 64),
        key(model, other, "entropy", 64),
        key(changed, windows, "entropy", 64),
    }
    assert len(keys) == 4
    assert key(model, windows, "entropy", 64) in keys


def test_too_little_data_is_refused(ma52_model, tmp_path):
    with pytest.raises(MarEdgeError, match="too few to calibrate on"):
        write_int8(ma52_model.path, tmp_path / "x.onnx", GUARD, silent, calibrate_on=20)


def test_the_full_file_is_not_written_over(ma52_model):
    before = ma52_model.path.read_bytes()
    for write in (write_half, write_int8):
        with pytest.raises(MarEdgeError, match="is an input, which would be lost"):
            write(ma52_model.path, ma52_model.path, GUARD, silent)
    assert ma52_model.path.read_bytes() == before


def test_the_source_has_to_be_a_full_model_of_this_version(ma52_model, imigue_model, tmp_path):
    half = tmp_path / "half.onnx"
    write_half(ma52_model.path, half, GUARD, silent)
    with pytest.raises(MarEdgeError, match="is fp16 already"):
        read_full(half)
    unmarked = onnx.load(ma52_model.path)
    for node in unmarked.graph.node:
        del node.metadata_props[:]
    onnx.save(unmarked, tmp_path / "old.onnx")
    with pytest.raises(MarEdgeError, match="does not mark the layers"):
        read_full(tmp_path / "old.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(MarEdgeError, match="is not a model file"):
        read_full(tmp_path / "text.onnx")
    with pytest.raises(MarEdgeError, match="cannot read"):
        read_full(tmp_path / "nowhere.onnx")
    with pytest.raises(MarEdgeError, match="holds ma52 skeletons, the model takes imigue"):
        write_half(imigue_model.path, tmp_path / "x.onnx", GUARD, silent)
