"""The folder a person gets, from results that are known."""

import csv
import io
import re

import cv2
import msgspec
import numpy as np
import pytest
from evaluation_fakes import BACKGROUND, LABELS, ToldClips, quiet, sure, told

from edge.errors import MarEdgeError
from edge.labels import Label
from training.evaluation.answers import ask
from training.evaluation.clip_results import score_answers
from training.evaluation.matching import LiveEvent
from training.evaluation.report import Evaluation, ModelFacts, write_report
from training.evaluation.stream_results import score_watched
from training.evaluation.streaming import Watched
from training.synth.recording import TrueEvent

NODDING, SHAKING_HEAD, WAVING = 9, 10, 19
FACTS = ModelFacts(
    name="told | <b>",
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


def clip_results(true=(NODDING,) * 4 + (WAVING, BACKGROUND), said=(NODDING, NODDING, NODDING, 10, WAVING, BACKGROUND)):
    return score_answers(ask(told(sure(list(said))), ToldClips(np.array(true)), quiet), "six told clips")


def stream_results():
    nod = TrueEvent(LABELS[NODDING], 1.0, 3.0)
    acted = Watched(60.0, False, (nod, nod), (LiveEvent(LABELS[NODDING], 1.0, 3.0, 1.8, 0.9),))
    idle = Watched(30.0, True, (), (LiveEvent(LABELS[WAVING], 1.0, 3.0, 1.8, 0.9),))
    return score_watched([acted, idle], LABELS[:52], seed=7)


def evaluation(clips=None, stream=None):
    return Evaluation(mar_edge_version="0.0", model=FACTS, clips=clips, stream=stream)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("reports") / "new" / "report"
    write_report(path, evaluation(clip_results(), stream_results()))
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
    assert read == evaluation(clip_results(), stream_results())
    assert read.schema == 1


def test_plain_words_come_first(folder):
    text = (folder / "report.md").read_text()
    head = text[: text.index("## Clips")]
    assert "Of 6 clips it told 83.3 % rightly, among 53 classes" in head
    assert "80.0 % of 5 clips" in head
    assert "1 of 4 clips of 'nodding' were taken for 'shaking head'" in head
    assert "In 1.0 minutes of live footage 2 actions happened and 1 were reported" in head
    assert "precision 1.00, recall 0.50" in head
    assert "0.80 s after it began" in head
    assert "it reported 2.00 events a minute" in head


@pytest.mark.parametrize(
    "row",
    [
        "| top-1 | 0.8333 | 0.8000 |",
        "| clips | 6 | 5 |",
        "- nodding, taken for shaking head: 1 of 4 clips (25.0 %)",
        "| head | 1.00 | 1.00 | 1.00 | 4 | 4 |",
        "| nodding | head | 1.00 | 0.75 | 0.86 | 4 | 3 |",
        "| head up | head | – | – | – | 0 | 0 |",
        "| action | 0.5 | 2 | 1 | 1 | 1.00 | 0.50 | 0.67 |",
        "| nodding | 2 | 1 | 1 | 1.00 | 0.50 | 0.67 | 0.80 | 0 |",
        "| waving | 0 | 0 | 0 | – | – | – | – | 1 |",
        "| its end is dated, median | 0.00 s too late |",
        "| judged on | six told clips |",
    ],
)
def test_tables(folder, row):
    assert row in (folder / "report.md").read_text().splitlines()


def test_tables_are_tables(folder):
    """Every row has as many cells as its head: a name with a bar in it does not make one more."""
    for table in re.findall(r"(?:^\|.*\n)+", (folder / "report.md").read_text(), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


def test_the_page_needs_no_other_file(folder):
    page = (folder / "report.html").read_text()
    assert set(re.findall(r'(?:src|href)="([^"]{0,22})', page)) == {"data:image/png;base64,"}
    assert "<link" not in page
    assert "<script" not in page


def test_the_page_says_what_the_text_says_and_escapes_it(folder):
    page = (folder / "report.html").read_text()
    assert "told | &lt;b&gt;" in page
    assert "Of 6 clips it told 83.3 % rightly" in page
    assert page.count("<tr>") == page.count("</tr>") > 80


def test_what_neither_happened_nor_was_reported_has_no_row_in_live_use(folder):
    live = (folder / "report.html").read_text().split("<h2>Live</h2>")[1]
    assert re.findall(r"<tr><td>([^<]+)</td><td class=\"number\">\d+</td>", live) == ["nodding", "waving"]
    text = (folder / "report.md").read_text().split("## Live")[1]
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
    write_report(tmp_path, evaluation(clip_results(), stream_results()))
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_only_live(tmp_path):
    write_report(tmp_path, evaluation(stream=stream_results()))
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "report.html", "scores.json"}
    assert "## Clips" not in (tmp_path / "report.md").read_text()
    assert "## Live" in (tmp_path / "report.md").read_text()


def test_few_classes_without_mistakes_or_body_groups(tmp_path):
    labels = (Label(0, "a$_$", ""), Label(1, "b, c", ""))
    recognizer = told(sure([0, 1], 2), labels=labels, background=None)
    answers = ask(recognizer, ToldClips(np.array([0, 1]), labels=labels, background=None), quiet)
    write_report(tmp_path, evaluation(score_answers(answers, "two")))
    text = (tmp_path / "report.md").read_text()
    assert "None." in text
    assert "By body group" not in text
    assert "| F1 mean of the four | – | – |" in text
    assert (tmp_path / "confusion.csv").read_text().startswith('true \\ said,a$_$,"b, c"\n')


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MarEdgeError, match="cannot write the report"):
        write_report(tmp_path / "file", evaluation(stream=stream_results()))
