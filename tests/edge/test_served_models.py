from __future__ import annotations

from pathlib import Path

import pytest
import tiny_manet
import tiny_model

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.served_models import ModelFile, ServedModels


def test_models_are_told_apart_by_what_they_look_at(tmp_path: Path) -> None:
    mmn = ModelFile(tiny_model.write(tmp_path / "a.onnx"))
    manet = ModelFile(tiny_manet.write(tmp_path / "b.onnx"))
    assert ServedModels.of([]) == ServedModels(ModelFile())
    assert ServedModels.of([manet]) == ServedModels(manet)
    assert ServedModels.of([mmn, manet]) == ServedModels.of([manet, mmn]) == ServedModels(mmn, manet)
    with ServedModels(mmn, manet).opened(1) as (main, pictures):
        assert pictures is not None
        assert (main.metadata.family, pictures.metadata.family) == ("mmn", "manet")
    with ServedModels(manet).opened(1) as (main, pictures):
        assert main is pictures
    with ServedModels().opened(1) as (main, pictures):
        assert (main.family.pictures, pictures) == (None, None)


def test_two_that_look_at_the_same_are_refused(tmp_path: Path) -> None:
    mmn, manet = ModelFile(), ModelFile(tiny_manet.write(tmp_path / "b.onnx"))
    for files, found in (((mmn, mmn), "2 of skeletons"), ((manet, mmn, manet), "2 of pictures")):
        with pytest.raises(MarEdgeError, match=found):
            ServedModels.of(files)
    assert mmn.file == default_model_path()
