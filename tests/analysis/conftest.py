from __future__ import annotations

from pathlib import Path

import pytest
import tiny_model as tiny_model_file


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small model file (``tiny_model.write``)."""
    return tiny_model_file.write(tmp_path_factory.mktemp("models") / "tiny.onnx")
