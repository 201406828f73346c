"""The challenge's file, byte for byte."""

import csv
import io
import zipfile

import numpy as np
import pytest
from evaluation_fakes import BACKGROUND, LABELS, METADATA, FakeClips, fake_model, logits_for, quiet

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.training.evaluation.clip_predictions import predict_clips
from mar_edge.training.evaluation.submission import body_of, write_submission

HEADER = "vid,action_pred_1,action_pred_2,action_pred_3,action_pred_4,action_pred_5," + ",".join(
    f"body_pred_{i}" for i in range(1, 6)
)


def predictions(predicted, **changes):
    recognizer = fake_model(logits_for(predicted, len(changes.get("labels", LABELS))), **changes)
    return recognizer.metadata, predict_clips(recognizer, FakeClips(np.full(len(predicted), -1)), quiet)


def text_of(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["prediction.csv"]
        return archive.read("prediction.csv").decode()


def test_the_file_has_the_form_of_the_challenge(tmp_path):
    write_submission(tmp_path / "new" / "prediction.zip", *predictions([9, 48]))
    assert text_of(tmp_path / "new" / "prediction.zip") == (
        f"{HEADER}\nclip000,9,8,10,7,11,1,1,1,1,2\nclip001,48,47,49,46,50,6,5,6,5,6\n"
    )


def test_no_action_is_never_predicted(tmp_path):
    write_submission(tmp_path / "p.zip", *predictions([BACKGROUND, 51]))
    assert text_of(tmp_path / "p.zip").splitlines()[1] == "clip000,51,50,49,48,47,6,6,6,6,5"


def test_each_clip_has_five_actions_of_ma52_once_each(tmp_path):
    rng = np.random.default_rng(0)
    recognizer = fake_model(rng.normal(size=(40, 53)).astype(np.float32))
    write_submission(tmp_path / "p.zip", METADATA, predict_clips(recognizer, FakeClips(np.full(40, -1)), quiet))
    rows = list(csv.DictReader(io.StringIO(text_of(tmp_path / "p.zip"))))
    assert len({row["vid"] for row in rows}) == 40
    bodies = {label.id: label.body for label in ma52_labels()}
    of_body = {}
    for row in rows:
        actions = [int(row[f"action_pred_{i}"]) for i in range(1, 6)]
        assert len(set(actions)) == 5
        assert set(actions) <= set(range(52))
        for i, action in enumerate(actions, 1):
            of_body.setdefault(row[f"body_pred_{i}"], set()).add(bodies[action])
    assert all(len(names) == 1 for names in of_body.values())


def test_body_labels_are_those_of_the_label_set():
    order = list(dict.fromkeys(label.body for label in ma52_labels()))
    assert [body_of(label.id) for label in ma52_labels()] == [order.index(label.body) for label in ma52_labels()]


def test_the_models_order_of_labels_does_not_matter(tmp_path):
    turned = tuple(reversed(LABELS))
    predicted = [turned.index(LABELS[9])]
    write_submission(tmp_path / "p.zip", *predictions(predicted, labels=turned, background=0))
    assert text_of(tmp_path / "p.zip").splitlines()[1].split(",")[1] == "9"


def test_equal_predictions_are_equal_bytes(tmp_path):
    for name in ("a.zip", "b.zip"):
        write_submission(tmp_path / name, *predictions([3, 4, 5]))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_repeated_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(FakeClips, "clip_name", lambda self, index: "clip")
    with pytest.raises(MarEdgeError, match="'clip' occurs in the data more than once"):
        write_submission(tmp_path / "p.zip", *predictions([1, 2]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((*LABELS[:5], Label(60, "yawning", "head")), "'yawning' is not one of them"),
        (LABELS[:4], "5 actions per clip; the model knows 4"),
    ],
)
def test_labels_that_are_not_ma52s_are_refused(tmp_path, labels, expected):
    with pytest.raises(MarEdgeError, match=expected):
        write_submission(tmp_path / "p.zip", *predictions([0], labels=labels, background=None))


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MarEdgeError, match="cannot write"):
        write_submission(tmp_path / "file" / "p.zip", *predictions([0]))
