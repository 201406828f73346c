"""A model family decides what its networks get and when, down to the pipeline: this one takes no joints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import person, skeleton

from mar_edge.edge import recognizer as recognizer_module
from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.families.base import WarmUp
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules
from mar_edge.streaming.timing import Timer

METADATA = ModelMetadata(
    name="spans",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=(Label(0, "nodding", "head"),),
    activation="sigmoid",
)


class Spans:
    """Gives the network each window's length and frame count, from 1.2 s on."""

    warm_up = WarmUp(min_span_s=1.2, min_frames=3, max_gap_s=0.2)
    input_shapes: Mapping[str, tuple[int, ...]] = {"span": (2,)}

    def inputs(self, windows: Sequence[Window]) -> dict[str, NDArray[np.float32]]:
        return {"span": np.array([(window.span_s, len(window.times_s)) for window in windows], np.float32)}


class ScriptedRuntime:
    """Keeps its inputs, and answers with zeros."""

    name = "scripted"
    metadata_json = METADATA.to_json()

    def __init__(self, **input_shapes: tuple[int | None, ...]) -> None:
        self.input_shapes = input_shapes
        self.asked: list[Mapping[str, NDArray[np.float32]]] = []

    def infer(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        self.asked.append(inputs)
        zeros = np.zeros((len(inputs["span"]), 1), np.float32)
        return {"logits": zeros, "probs": zeros + 0.5}

    def warm_up(self, inputs: Mapping[str, NDArray[np.float32]]) -> None:
        pass

    def __enter__(self) -> ScriptedRuntime:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizer_module, "open_family", lambda metadata: Spans())


def test_the_network_gets_the_inputs_of_its_family_after_the_warm_up_of_its_family() -> None:
    runtime = ScriptedRuntime(span=(None, 2))
    pipeline = Pipeline(WindowRecognizer(runtime, "it"), PipelineRules(motion_gate=None), Timer())
    steps = [pipeline.push(i / 10, [skeleton(person())]) for i in range(31)]
    first = next(i for i, step in enumerate(steps) if step.inferences)
    assert first / 10 == pytest.approx(1.2)
    assert [inputs.keys() for inputs in runtime.asked] == [{"span"}] * len(runtime.asked)
    np.testing.assert_allclose(runtime.asked[0]["span"], [[1.2, 13]], rtol=1e-5)
    np.testing.assert_allclose(runtime.asked[-1]["span"], [[2.0, 21]], rtol=1e-5)


def test_a_gap_that_the_family_does_not_bridge_empties_the_window() -> None:
    pipeline = Pipeline(WindowRecognizer(ScriptedRuntime(span=(None, 2)), "it"), PipelineRules(), Timer())
    for t_s in (0.0, 0.1, 0.4):
        pipeline.push(t_s, [skeleton(person())])
    assert pipeline.counts.resets == 1


def test_a_graph_with_other_inputs_is_refused() -> None:
    with pytest.raises(MarEdgeError, match=r"takes span \(B, 2\), this one takes"):
        WindowRecognizer(ScriptedRuntime(skeleton=(None, 64, 44, 2)), "it")
