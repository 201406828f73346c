"""What MMN is given of a person's recent past."""

from __future__ import annotations

import msgspec
import networks
import numpy as np
import pytest

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.families.choice import open_family
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.preprocess import window_to_input

LABELS = networks.LABELS
METADATA = ModelMetadata(
    name="x",
    layout="imigue",
    streams=("joint",),
    encoding="raw",
    labels=networks.LABELS,
    background=networks.BACKGROUND,
)


def window(V: int, seed: int) -> Window:
    clip = np.random.default_rng(seed).uniform(0, 500, (30, V, 2)).astype(np.float32)
    return Window(clip, np.arange(30) / 30)


@pytest.mark.parametrize(("layout", "V"), [("ma52", 44), ("imigue", 22)])
def test_inputs_have_the_shapes_that_it_states_behind_a_batch_axis(layout: str, V: int) -> None:
    family = open_family(msgspec.structs.replace(METADATA, layout=layout))
    windows = [window(V, 1), window(V, 2)]
    inputs = family.inputs(windows)
    assert {name: array.shape[1:] for name, array in inputs.items()} == family.input_shapes
    for row, one in enumerate(windows):
        skeleton, index_t = window_to_input(one, load_layout(layout))
        np.testing.assert_array_equal(inputs["skeleton"][row], skeleton)
        np.testing.assert_array_equal(inputs["index_t"][row], index_t)


def test_a_window_of_another_layout_is_an_error() -> None:
    with pytest.raises(MarEdgeError, match="imigue clip"):
        open_family(METADATA).inputs([window(44, 1)])
