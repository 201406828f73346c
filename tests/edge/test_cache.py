"""Where caches lie, and what goes on where there is no place for one."""

from pathlib import Path

import pytest

from mar_edge.edge.cache import cache_folder
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.tensorrt.cache import has_engine_of
from mar_edge.edge.zoo import fetch
from mar_edge.edge.zoo.catalogue import known_models


@pytest.fixture
def _homeless(monkeypatch):
    """A container's user: no HOME, and no entry in the system's list of users."""

    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    for name in ("HOME", "XDG_CACHE_HOME", "MAR_EDGE_CACHE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_homeless")
def test_without_a_home_nothing_is_cached_and_who_needs_a_cache_is_told_how(tmp_path, monkeypatch):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"x")
    assert not has_engine_of(model)
    known = next(iter(known_models().values()))
    assert fetch.cached(known) is None
    for folder in (lambda: cache_folder("engines"), fetch.cache_folder):
        with pytest.raises(MarEdgeError, match="set XDG_CACHE_HOME to a folder"):
            folder()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("engines") == tmp_path / "mar-edge" / "engines"
    assert fetch.cache_folder() == tmp_path / "mar-edge" / "models"
