"""The benchmark of latency: each candidate alone in its process, since threads of two libraries disturb each other."""

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def latency():
    path = Path(__file__).parents[2] / "benchmarks" / "latency.py"
    spec = importlib.util.spec_from_file_location("latency_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_each_candidate_is_measured_in_a_process_of_its_own(latency, tmp_path):
    first, second = (latency.measure("the package's model", tmp_path, 2) for _ in range(2))
    assert len({first.process, second.process, os.getpid()}) == 3
    assert len(first.times_ms) == 2
    assert all(ms > 0 for ms in first.times_ms)
    assert not first.torch_loaded


def test_openvino_is_a_candidate_where_it_is_installed(latency, monkeypatch):
    monkeypatch.setattr(latency, "find_spec", lambda name: None)
    assert not any("OpenVINO" in name for name in latency.candidates())
    monkeypatch.setattr(latency, "find_spec", lambda name: name)
    assert {"plain export, OpenVINO", "deploy graph, OpenVINO"} < latency.candidates().keys()
