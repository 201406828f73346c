"""``bench`` on real runtimes: the report is checked, not the speed."""

import json

import networks
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from mar_edge.cli.model_timing import open_candidate, time_candidates, verify
from mar_edge.edge.errors import MarEdgeError


def inputs(metadata):
    skeleton, index_t = networks.windows(4, 44 if metadata.layout == "ma52" else 22)
    return {"skeleton": skeleton, "index_t": index_t}


def silent(what, done, total):
    pass


def test_candidates_take_turns_and_each_has_its_rows(ma52_model, monkeypatch):
    candidates = [open_candidate(ma52_model.path, name, 1, inputs) for name in ("onnxruntime", "openvino")]
    order = []
    for candidate in candidates:
        infer = candidate.runtime.infer

        def spied(given, candidate=candidate, infer=infer):
            order.append((candidate.runtime.name, len(given["skeleton"])))
            return infer(given)

        monkeypatch.setattr(candidate.runtime, "infer", spied)
    rows = time_candidates(candidates, inputs, [1, 4], 3, silent)
    names = [candidate.runtime.name for candidate in candidates]
    assert [(row.runtime, row.batch) for row in rows] == [(name, batch) for batch in (1, 4) for name in names]
    assert order[:4] == [(names[0], 1), (names[1], 1)] * 2
    assert all(0 < row.p50_ms <= row.p95_ms <= row.p99_ms for row in rows)
    assert all(row.windows_per_s > 0 for row in rows)


def test_verify_finds_differences(ma52_model, tmp_path):
    other = onnx.load(ma52_model.path)
    bias = next(tensor for tensor in other.graph.initializer if tensor.name.endswith("head.bias"))
    values = numpy_helper.to_array(bias).copy()
    values[5] += 100
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    path = tmp_path / "other.onnx"
    onnx.save(other, str(path))
    candidates = [open_candidate(p, "onnxruntime", 1, inputs) for p in (ma52_model.path, ma52_model.path, path)]
    first, same, changed = verify(candidates, lambda: [inputs(candidates[0].metadata)] * 2)
    assert (first.agreement, first.largest_logit_error, first.windows) == (1, 0, 8)
    assert (same.agreement, same.largest_logit_error) == (1, 0)
    assert changed.agreement == 0
    assert changed.largest_logit_error == pytest.approx(100, rel=1e-3)


def test_verify_refuses_models_that_cannot_be_compared(ma52_model, imigue_model):
    candidates = [open_candidate(p, "onnxruntime", 1, inputs) for p in (ma52_model.path, imigue_model.path)]
    with pytest.raises(MarEdgeError, match="has other skeletons or labels"):
        verify(candidates, lambda: [])


def test_bench_prints_and_writes_its_figures(cli, ma52_model, tmp_path):
    out = tmp_path / "bench.json"
    done = cli(
        "bench", ma52_model.path, "--runtime", "onnxruntime", "--runtime", "openvino", "--batch", "2,1", "--rounds", 2,
        "--threads", 1, "--verify", "--windows", 8, "--json", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert [row["batch"] for row in report["rows"]] == [1, 1, 2, 2]
    assert report["environment"]["threads"] == 1
    assert [check["windows"] for check in report["agreements"]] == [8, 8]
    assert report["agreements"][1]["largest_logit_error"] < 1e-4
    assert "p50 ms" in done.stdout
    assert np.isclose(report["rows"][0]["p50_ms"], float(done.stdout.splitlines()[2].split()[-6]), atol=0.01)


def test_a_model_of_pictures_is_timed_and_not_verified(here, manet_model, tmp_path):
    out = tmp_path / "bench.json"
    done = here("bench", manet_model.path, "--batch", "1", "--rounds", 1, "--threads", 1, "--json", out)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(out.read_text())["rows"]
    assert (row["batch"], row["precision"]) == (1, "fp32")
    done = here("bench", manet_model.path, "--batch", "1", "--rounds", 1, "--threads", 1, "--verify")
    assert done.returncode == 1
    assert "--verify compares on synthetic people, who are skeletons and no pictures" in done.stderr


def test_wrong_batch_sizes(user_error):
    assert "--batch takes whole numbers of at least 1" in user_error("bench", "--batch", "1,none")
