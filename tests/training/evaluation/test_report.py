"""The files of a report, from known results."""

import csv
import io
import re

import cv2
import msgspec
import numpy as np
import pytest
from evaluation_fakes import BACKGROUND, LABELS, METADATA, FakeClips, fake_model, logits_for, quiet

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.capture.frames import Frame
from mar_edge.training.evaluation.candidates import ScoredWindows
from mar_edge.training.evaluation.clip_predictions import predict_clips
from mar_edge.training.evaluation.clip_results import score_clips
from mar_edge.training.evaluation.matching import LiveEvent
from mar_edge.training.evaluation.real_results import score_real
from mar_edge.training.evaluation.report import Evaluation, ModelFacts, render_card, write_report
from mar_edge.training.evaluation.served import Served, ServedEvent, ServedLabels
from mar_edge.training.evaluation.stream_results import score_recordings
from mar_edge.training.evaluation.streaming import EvaluatedRecording
from mar_edge.training.evaluation.truth import RealRecording, RealSet, TrueAction
from mar_edge.training.synth.events import TrueEvent

NODDING, SHAKING_HEAD, WAVING = 9, 10, 19
FACTS = ModelFacts(
    name="fake | <b>",
    files=("joint.pt", "bone.pt"),
    sha256=("ab", "cd"),
    runtime="nothing 1.0",
    layout="ma52",
    streams=("joint", "bone"),
    precision="fp32",
    classes=53,
    window_s=2.0,
    training_data="nothing at all",
)


def clip_results(
    true=(NODDING,) * 4 + (WAVING, BACKGROUND), predicted=(NODDING, NODDING, NODDING, 10, WAVING, BACKGROUND)
):
    return score_clips(
        predict_clips(fake_model(logits_for(list(predicted))), FakeClips(np.array(true)), quiet), "six fake clips"
    )


def stream_results():
    nod = TrueEvent(LABELS[NODDING], 1.0, 3.0)
    acted = EvaluatedRecording(60.0, False, (nod, nod), (LiveEvent(LABELS[NODDING], 1.0, 3.0, 1.8, 0.9),))
    idle = EvaluatedRecording(30.0, True, (), (LiveEvent(LABELS[WAVING], 1.0, 3.0, 1.8, 0.9),))
    return score_recordings([acted, idle], LABELS[:52], seed=7)


def real_results():
    """Return results of a recognized nod, and of a false event in a recording without actions."""
    nod = TrueAction(1.0, 3.0, "nodding", (), "high")
    frames = (Frame(0, 0, 0, 30.0, np.zeros((0, 0, 3), np.uint8)),)
    recordings = (
        RealRecording("a.mp4", (nod,), frames, 0, True, "face only"),
        RealRecording("b.mp4", (), frames, 0, True, "full body"),
    )
    predicted = ServedEvent(LABELS[NODDING], 1.0, 3.0, 0.9)
    served = [Served((ServedLabels(2.0, {"nodding": 0.9}),), (predicted,)), Served((), (predicted,))]
    return score_real(RealSet("filmed | here", load_layout("ma52"), recordings), served, METADATA)


def together():
    """Return results of two actions at once, of which one is found."""
    end_s = np.arange(2.0, 20.0, 0.2)
    scores = np.zeros((len(end_s), 53), np.float32)
    scores[20:30, NODDING] = 0.9
    windows = ScoredWindows(end_s - 2, end_s, np.zeros(len(end_s), np.int64), scores)
    true = (TrueEvent(LABELS[NODDING], 5.3, 6.7), TrueEvent(LABELS[WAVING], 5.0, 8.0))
    live = (LiveEvent(LABELS[NODDING], 5.3, 6.7, 6.0, 0.9),)
    return score_recordings(
        [EvaluatedRecording(60.0, False, true, live, True, "face only", windows)], LABELS[:52], 7, METADATA
    )


def evaluation(clips=None, stream=None, real=None, concurrent=None):
    return Evaluation(mar_edge_version="0.0", model=FACTS, real=real, clips=clips, stream=stream, concurrent=concurrent)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("reports") / "new" / "report"
    write_report(path, evaluation(clip_results(), stream_results(), real_results(), together()))
    return path


def test_files(folder):
    assert {path.name for path in folder.iterdir()} == {
        "report.md",
        "report.html",
        "confusion.png",
        "confusion.csv",
        "scores.json",
    }


def test_scores_can_be_read_again_whole(folder):
    read = msgspec.json.decode((folder / "scores.json").read_bytes(), type=Evaluation)
    assert read == evaluation(clip_results(), stream_results(), real_results(), together())
    assert read.schema == 1


def test_sentences_come_first(folder):
    text = (folder / "report.md").read_text()
    head = text[: text.index("## Real people")]
    assert "Top-1 accuracy is 83.3 % and top-5 accuracy" in head
    assert "Actions only: top-1 accuracy 80.0 %" in head
    assert "1 of 4 clips of 'nodding' were predicted as 'shaking head'" in head
    assert "Live, 1.0 minutes of synthetic people. True actions: 2; reported events: 1;" in head
    assert "Precision 1.00, recall 0.50" in head
    assert "0.80 s after its onset" in head
    assert "2.00 events per minute were reported" in head


@pytest.mark.parametrize(
    "row",
    [
        "| top-1 | 0.8333 | 0.8000 |",
        "| clips | 6 | 5 |",
        "- nodding predicted as shaking head: 1 of 4 clips (25.0 %)",
        "| head | 1.00 | 1.00 | 1.00 | 4 | 4 |",
        "| nodding | head | 1.00 | 0.75 | 0.86 | 4 | 3 |",
        "| head up | head | – | – | – | 0 | 0 |",
        "| action | 0.5 | 2 | 1 | 1 | 1.00 | 0.50 | 0.67 |",
        "| nodding | 2 | 1 | 1 | 1.00 | 0.50 | 0.67 | 0.80 | 0 |",
        "| waving | 0 | 0 | 0 | – | – | – | – | 1 |",
        "| error of the offset, median | 0.00 s too late |",
        "| evaluated on | six fake clips |",
        "| mean average precision of actions | 1.0000 | |",
        "| real people | filmed \\| here |",
        "| all | 1 | 1 of 1 (100 %) | 1 of 1 (100 %) | 1 of 1 (100 %) | 1 of 1 (100 %) | 1 of 1 (100 %) | "
        "1 of 1 (100 %) | 0 |",
        "| name | 0.3 | 1 | 2 | 1 | 0.50 | 1.00 | 0.67 |",
        "False events without an action: 2.0 per minute, over 0.5 minutes",
        "(nodding 1). In the other",
        "| framing: face only | 0.444 | 0.555 | 2 | 1 | 1 | 0.67 |",
        "| body group: upper limb | 0.000 | 0.189 | 1 | 0 | 0 | 0.00 |",
        "Recall of actions that overlap another one: 1 of 2 (50 %). Recall of the",
    ],
)
def test_tables(folder, row):
    assert row in (folder / "report.md").read_text().splitlines()


def test_tables_are_tables(folder):
    """Check that every row has as many cells as its head, even with a bar in a name."""
    for table in re.findall(r"(?:^\|.*\n)+", (folder / "report.md").read_text(), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


def test_the_page_needs_no_other_file(folder):
    page = (folder / "report.html").read_text()
    assert set(re.findall(r'(?:src|href)="([^"]{0,22})', page)) == {"data:image/png;base64,"}
    assert "<link" not in page
    assert "<script" not in page


def test_the_page_has_the_content_of_the_text_escaped(folder):
    page = (folder / "report.html").read_text()
    assert "fake | &lt;b&gt;" in page
    assert "Top-1 accuracy is 83.3 %" in page
    assert page.count("<tr>") == page.count("</tr>") > 80


def test_actions_without_events_have_no_row(folder):
    live = (folder / "report.html").read_text().split("<h2>Live</h2>")[1].split("<h2>Live, several")[0]
    assert re.findall(r"<tr><td>([^<]+)</td><td class=\"number\">\d+</td>", live) == ["nodding", "waving"]
    text = (folder / "report.md").read_text().split("## Live\n")[1].split("## Live, several")[0]
    assert "| waving |" in text
    assert "| shrugging |" not in text


def test_confusion_as_a_table(folder):
    head, *rows = csv.reader(io.StringIO((folder / "confusion.csv").read_text()))
    assert head[1:] == [row[0] for row in rows] == [label.name for label in LABELS]
    counts = np.array([row[1:] for row in rows], int)
    assert counts.sum() == 6
    assert counts[NODDING, SHAKING_HEAD] == 1


def test_confusion_as_a_picture(folder):
    image = cv2.imread(str(folder / "confusion.png"))
    height, width, _ = image.shape
    assert min(height, width) > 1200  # 53 names can be read
    assert np.ptp(image) == 255


def test_the_same_results_are_the_same_bytes(folder, tmp_path):
    write_report(tmp_path, evaluation(clip_results(), stream_results(), real_results(), together()))
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_only_live(tmp_path):
    write_report(tmp_path, evaluation(stream=stream_results()))
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "report.html", "scores.json"}
    assert "## Clips" not in (tmp_path / "report.md").read_text()
    assert "## Live" in (tmp_path / "report.md").read_text()


def test_few_classes_without_mistakes_or_body_groups(tmp_path):
    labels = (Label(0, "a$_$", ""), Label(1, "b, c", ""))
    recognizer = fake_model(logits_for([0, 1], 2), labels=labels, background=None)
    predictions = predict_clips(recognizer, FakeClips(np.array([0, 1]), labels=labels, background=None), quiet)
    write_report(tmp_path, evaluation(score_clips(predictions, "two")))
    text = (tmp_path / "report.md").read_text()
    assert "None." in text
    assert "By body group" not in text
    assert "| F1 mean of the four | – | – |" in text
    assert (tmp_path / "confusion.csv").read_text().startswith('true/predicted,a$_$,"b, c"\n')


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MarEdgeError, match=r"cannot write .*scores\.json"):
        write_report(tmp_path / "file", evaluation(stream=stream_results()))


def test_a_card_leads_with_real_people():
    """Take each kind of figures once from several evaluations of a model."""
    only_real = evaluation(real=real_results())
    text = render_card([only_real, evaluation(clip_results(), stream_results(), concurrent=together())])
    heads = re.findall(r"^## .*", text, re.MULTILINE)
    assert heads == [
        "## On real people",
        "## On synthetic people with several actions at once",
        "## On synthetic clips",
    ]
    assert "| framing: face only | 1 | 1 of 1 (100 %) |" in text
    assert "| framing: face only | 2 | 1 | 0.67 | 0.444 | 0.555 |" in text
    assert render_card([only_real]).count("## ") == 1
