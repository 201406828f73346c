"""The cache folder: which variables decide, and what works where there is none."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.cache import cache_folder
from mar_edge.edge.runtime.tensorrt.cache import has_engine_of
from mar_edge.edge.zoo import fetch
from mar_edge.edge.zoo.catalog import known_models


@pytest.fixture
def _homeless(monkeypatch):
    """Be a container's user: no HOME, and no entry in the system's list of users."""

    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    for name in ("HOME", "XDG_CACHE_HOME", "MAR_EDGE_CACHE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_homeless")
def test_without_a_home_there_is_no_cache_and_the_error_names_the_variable(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"x")
    assert not has_engine_of(model)
    assert fetch.cached(next(iter(known_models().values()))) is None
    with pytest.raises(MarEdgeError, match="set MAR_EDGE_CACHE to a folder"):
        cache_folder("engines")


@pytest.mark.usefixtures("_homeless")
def test_every_cache_goes_by_the_same_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder("calibration") == tmp_path / "xdg" / "mar-edge" / "calibration"
    monkeypatch.setenv("MAR_EDGE_CACHE", str(tmp_path / "own"))
    assert cache_folder("engines") == tmp_path / "own" / "engines"
    model = next(model for model in known_models().values() if model.kind == "detector")
    with zipfile.ZipFile(tmp_path / Path(model.url).name, "w") as archive:
        archive.writestr("end2end.onnx", b"weights")
    fetched = fetch.fetch(replace(model, sha256=None), mirror=str(tmp_path))
    assert fetched.parent == tmp_path / "own" / "models"


SYSTEMS = {"linux": ".cache", "darwin": "Library", "win32": "AppData"}


@pytest.mark.parametrize("system", SYSTEMS)
def test_without_variables_the_system_decides(tmp_path, monkeypatch, system):
    for name in ("XDG_CACHE_HOME", "MAR_EDGE_CACHE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", system)
    assert cache_folder("models").relative_to(tmp_path).parts[0] == SYSTEMS[system]
