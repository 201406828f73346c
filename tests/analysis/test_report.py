"""The report as a lab head reads it: complete without scripts and network, sortable with them, and honest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browser import opened
from made_results import NOD, SHAKE, analyzed, result

from mar_edge.analysis.inputs import Video
from mar_edge.analysis.report import StudyReport, write_report
from mar_edge.analysis.settings import AnalyzeConfig
from mar_edge.analysis.summary import summarize
from mar_edge.analysis.trust import ACTIONS, BY_BODY_GROUP, BY_NAME, RECORDINGS, Measured
from mar_edge.analysis.workers import Failed
from mar_edge.edge.labels import ma52_labels
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.served_models import ModelFile, ServedModels

METADATA = ModelMetadata(
    name="a <b>model</b>",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=ma52_labels(),
    accuracy={"top1": 0.5},
)


def report(model: Path | None = None) -> str:
    summaries = summarize(
        [
            analyzed("a", "Ann", "calm", result((NOD, 1, 2, 0), (SHAKE, 3, 4, 0))),
            analyzed("b", "<Bob & Co>", "tense", result((NOD, 1, 2, 0), (NOD, 3, 4, 0), (NOD, 5, 6, 0))),
            analyzed("c", "Cy", "tense", result(seen={})),
        ]
    )
    failed = Failed(Video(Path("broken.mp4"), "broken", "Dee"), "not a video")
    study = StudyReport(summaries, (failed,), "all", None, METADATA, AnalyzeConfig(ServedModels(ModelFile(model))))
    return write_report(study).decode()


def test_it_names_everybody_and_what_is_unknown() -> None:
    html = report()
    assert "3 videos of 3 participants in 2 conditions: 6.0 minutes, 4.0 of them with a person in view." in html
    assert "5 events, 1.25 per minute" in html
    assert "Nobody was found in the videos of Cy (tense): rates are unknown there." in html
    assert "In view for less than 2 minutes" not in html
    assert "broken.mp4: not a video" in html
    assert "&lt;Bob &amp; Co&gt;" in html
    assert "<Bob" not in html
    assert "a <b>model" not in html
    assert report() == html


def test_it_loads_nothing() -> None:
    html = report()
    assert not re.search(r"""(src|href)=(?!["']?(data:|recordings/))""", html)
    assert "url(" not in html
    assert "default-src 'none'" in html


def test_how_far_to_trust_the_package_s_model_is_what_its_card_says() -> None:
    card = (Path(__file__).parents[2] / "docs" / "model-card.md").read_text(encoding="utf-8")
    (actions, recordings) = map(int, re.findall(r"^(\d+) actions in (\d+) recordings", card, re.MULTILINE)[0])
    assert (actions, recordings) == (ACTIONS, RECORDINGS)
    for name, mine in (("name", BY_NAME), ("body group", BY_BODY_GROUP)):
        cells = next(line for line in card.splitlines() if line.startswith(f"| {name} | 0.3 |")).split("|")
        assert mine == Measured(*map(float, cells[5:8]))
    assert "56% of its events had the correct name" in report()


def test_of_another_model_it_says_what_the_file_says(tiny_model: Path) -> None:
    html = report(tiny_model)
    assert "The model file states these scores, 0 to 1, on its own test data: top1 0.500." in html
    assert "This is the model in the package" not in html


@pytest.mark.slow
def test_a_click_sorts_and_a_key_turns_it(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report(), encoding="utf-8")
    with opened(chromium, path.as_uri()) as seen:
        table = seen.page.locator("table", has_text="most frequent")
        names = table.locator("tbody tr td:first-child")
        heading = table.get_by_role("columnheader", name="per minute", exact=True)
        heading.click()
        assert names.all_inner_texts() == ["<Bob & Co>", "Ann", "Cy"]
        assert heading.get_attribute("aria-sort") == "descending"
        heading.press("Enter")
        assert names.all_inner_texts() == ["Cy", "Ann", "<Bob & Co>"]
        assert not seen.errors
