from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from streaming_fakes import nod, wait_until

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.batching import BatchingRecognizer


def window(number: int) -> Window:
    times = np.arange(61) / 30
    return Window(np.stack([nod(3.0 + number)(t) for t in times]), times, person=number)


def test_each_thread_gets_the_scores_of_its_own_windows(recognizer: WindowRecognizer) -> None:
    windows = [window(number) for number in range(24)]
    alone = [recognizer.predict([each])[0].probs for each in windows]
    shared = BatchingRecognizer(recognizer)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: shared.predict([each])[0], windows))
    for number, answer in enumerate(answers):
        assert answer.person == number
        np.testing.assert_allclose(answer.probs, alone[number], atol=1e-5)
    assert shared.windows == 24
    assert shared.predict([]) == []


class Gate:
    """A recognizer that waits until it is let through, and keeps what it was asked."""

    def __init__(self, recognizer: WindowRecognizer) -> None:
        self.runtime, self.version, self.metadata = recognizer.runtime, recognizer.version, recognizer.metadata
        self.layout, self.family = recognizer.layout, recognizer.family
        self.asked: list[list[int]] = []
        self.open = threading.Event()

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        self.asked.append([each.person for each in windows])
        assert self.open.wait(10)
        if any(each.person == 13 for each in windows):
            raise ZeroDivisionError("thirteen")
        return [Prediction(np.zeros(1, np.float32), each.person) for each in windows]


@pytest.fixture
def gate(recognizer: WindowRecognizer) -> Gate:
    return Gate(recognizer)


def test_windows_that_arrive_during_an_inference_share_the_next_one_up_to_the_limit(gate: Gate) -> None:
    shared = BatchingRecognizer(gate, most_windows=3)  # type: ignore[arg-type]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(shared.predict, [window(0)])
        wait_until(lambda: gate.asked)
        rest = [pool.submit(shared.predict, [window(number)]) for number in range(1, 6)]
        wait_until(lambda: len(shared._queue.waiting) == 5)
        gate.open.set()
        assert [future.result(10)[0].person for future in [first, *rest]] == [0, 1, 2, 3, 4, 5]
    assert [len(batch) for batch in gate.asked] == [1, 3, 2]
    assert shared.batches == 3


def test_a_failure_is_raised_in_the_threads_of_its_batch_alone(gate: Gate) -> None:
    gate.open.set()
    shared = BatchingRecognizer(gate)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        shared.predict([window(13)])
    assert shared.predict([window(1)])[0].person == 1


def test_windows_of_two_versions_of_a_model_wait_in_one_queue_but_share_no_inference(gate: Gate) -> None:
    later = Gate(gate)  # type: ignore[arg-type]
    later.open.set()
    gate.retaught = lambda version: later  # type: ignore[attr-defined]
    shared = BatchingRecognizer(gate)  # type: ignore[arg-type]
    retaught = shared.retaught(gate.version)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(shared.predict, [window(0)])]
        wait_until(lambda: gate.asked)
        for number, each in enumerate((shared, retaught, retaught, shared), 1):
            asked.append(pool.submit(each.predict, [window(number)]))
            wait_until(lambda number=number: len(shared._queue.waiting) == number)
        assert later.asked == []  # one inference at a time
        gate.open.set()
        assert [future.result(10)[0].person for future in asked] == [0, 1, 2, 3, 4]
    assert (gate.asked, later.asked) == ([[0], [1], [4]], [[2, 3]])
    assert (shared.batches, retaught.windows) == (4, 5)
