from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.image import imread
from recorded_runs import HUM, NOD, NS, SHAKE, SHRUG, ZERO_NS, Stream, two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.plot import draw, plot


@pytest.fixture
def two(tmp_path: Path) -> list[Timeline]:
    return read_timelines([two_people().write(tmp_path / "cam.jsonl")])


@pytest.fixture
def one(tmp_path: Path) -> list[Timeline]:
    stream = Stream().hello().skeletons(0, 10).event(NOD, 1, 2).event(SHRUG, 3, 4).event(NOD, 5, 7.5)
    return read_timelines([stream.write(tmp_path / "one.jsonl")])


def lanes(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """Return the name of each lane, from the top, and the times at which something is drawn in it."""
    names = [text.get_text() for text in axes.get_yticklabels()]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for bars in axes.collections:
        for path in bars.get_paths():
            (left, low), (right, high) = path.get_extents().get_points()
            found[names[round((low + high) / 2)]].append((round(left, 3), round(right, 3)))
    return found


def counts(axes: Axes) -> list[int]:
    return [int(text.get_text()) for text in axes.texts]


def test_one_person_a_band_for_each_body_group_and_a_lane_for_each_label(one: list[Timeline]) -> None:
    when, how_many = draw(one).axes
    assert lanes(when) == {"body": [], "shrugging": [(3, 4)], "head": [], "nodding": [(1, 2), (5, 7.5)]}
    assert counts(how_many) == [1, 2]
    assert when.get_xlim() == pytest.approx((0, 299 / 30))
    assert when.get_xlabel() == "time in s"


def test_several_people_each_have_a_lane(two: list[Timeline]) -> None:
    people, how_many_each, labels, how_many = draw(two).axes
    assert {name: len(spans) for name, spans in lanes(people).items()} == {"person 0": 3, "person 1": 2}
    assert counts(how_many_each) == [3, 2]
    assert list(lanes(labels)) == ["body", "shrugging", "head", "nodding", "shaking head", "other", "humming"]
    assert counts(how_many) == [1, 2, 1, 1]
    assert people.get_xlim() == labels.get_xlim()


def test_of_many_people_the_last_share_a_lane_without_losing_events(tmp_path: Path) -> None:
    stream = Stream().hello()
    for person in range(60):
        for start_s in range(1 + person % 3):
            stream.event(SHAKE, start_s, start_s + 0.5, person)
    people, how_many, *_ = draw(read_timelines([stream.write(tmp_path / "cam.jsonl")])).axes
    assert len(lanes(people)) == 40
    assert list(lanes(people))[-1] == "21 others"
    assert sum(counts(how_many)) == 20 * (1 + 2 + 3)


def test_a_gap_between_two_runs_is_gray_and_the_runs_are_distinguished(one: list[Timeline]) -> None:
    hour_ns = 3600 * NS
    later = replace(
        one[0],
        run="f" * 32,
        zero_ns=ZERO_NS + hour_ns,
        first_ns=ZERO_NS + hour_ns,
        last_ns=ZERO_NS + 3 * hour_ns,
        events=tuple(
            replace(event, t_start_ns=event.t_start_ns + hour_ns, t_end_ns=event.t_end_ns + hour_ns)
            for event in one[0].events
        ),
    )
    people, _, labels, _ = draw([one[0], later]).axes
    assert list(lanes(people)) == ["person 0, run 1", "person 0, run 2"]
    (gap,) = labels.patches
    assert gap.get_extents().transformed(labels.transData.inverted()).x0 == pytest.approx(299 / 30)
    assert labels.get_xlabel() == "time in h:min:s"


def test_a_recording_without_events(tmp_path: Path) -> None:
    (when, _) = draw(read_timelines([Stream().hello().skeletons(0, 2).write(tmp_path / "cam.jsonl")])).axes
    assert [text.get_text() for text in when.texts] == ["no events"]
    assert read_timelines([Stream().hello().write(tmp_path / "b.jsonl")])[0].people == ()
    assert plot(read_timelines([tmp_path / "b.jsonl"]), ".png").startswith(b"\x89PNG")


def test_simultaneous_events_of_a_person_share_the_height_of_a_lane(tmp_path: Path) -> None:
    stream = Stream().hello().event(NOD, 1, 5).event(SHRUG, 2, 4).event(SHAKE, 6, 7, person=1).event(HUM, 4.5, 6)
    people, *_ = draw(read_timelines([stream.write(tmp_path / "cam.jsonl")])).axes
    drawn = [path.get_extents().get_points() for bars in people.collections for path in bars.get_paths()]
    assert len(drawn) == 4
    for n, ((left, low), (right, high)) in enumerate(drawn):
        assert all(
            right <= other_left or other_right <= left or high <= other_low + 1e-9 or other_high <= low + 1e-9
            for (other_left, other_low), (other_right, other_high) in drawn[:n]
        )


def test_a_very_short_event_is_visible(one: list[Timeline]) -> None:
    start_ns = one[0].events[0].t_start_ns + NS
    short = replace(one[0].events[0], label=HUM, t_start_ns=start_ns, t_end_ns=start_ns)
    without = plot([replace(one[0], events=(), last_ns=ZERO_NS + 36_000 * NS)], ".png")
    with_it = plot([replace(one[0], events=(short,), last_ns=ZERO_NS + 36_000 * NS)], ".png")
    colorful = [np.ptp(imread(io.BytesIO(png))[:, :1000, :3], axis=2).max() for png in (without, with_it)]
    assert colorful[0] < 0.1
    assert colorful[1] > 0.3


def test_an_svg_holds_its_text_and_is_reproducible(two: list[Timeline]) -> None:
    dollars = replace(two[0], labels=(*two[0].labels, Label(71, "$x_1$", "head")))
    events = (*dollars.events, replace(dollars.events[0], label=dollars.labels[-1]))
    svg = plot([replace(dollars, events=events)], ".svg")
    words = {"".join(text.itertext()).strip() for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {"nodding", "shaking head", "person 1", "head", "cam: 6 events of 2 people in 8 s", "$x_1$"} <= words
    assert any("2026-11-21" in word and "tiny model" in word for word in words)
    assert plot([replace(dollars, events=events)], ".svg") == svg
    assert mpl.rcParams["svg.fonttype"] != "none"  # settings of the calling program do not change


def test_other_suffixes_are_refused(two: list[Timeline]) -> None:
    with pytest.raises(MarEdgeError, match=r"\.png or \.svg"):
        plot(two, ".bmp")


CHINESE = Label(61, "点头", "头部")


@pytest.fixture
def chinese(one: list[Timeline]) -> list[Timeline]:
    (timeline,) = one
    events = tuple(replace(event, label=CHINESE) if event.label == NOD else event for event in timeline.events)
    return [replace(timeline, labels=(*timeline.labels, CHINESE), events=events)]


@pytest.fixture
def _no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave only the fonts that come with matplotlib."""
    known = font_manager.fontManager.ttflist
    own = [entry for entry in known if Path(entry.fname).is_relative_to(mpl.get_data_path())]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)


def write_font(path: Path, family: str, letters: str) -> Path:
    """Write a font in which each letter is a black square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    names = [".notdef", *(f"uni{ord(letter):04X}" for letter in letters)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): f"uni{ord(letter):04X}" for letter in letters})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": family, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path


@pytest.mark.usefixtures("_no_other_fonts")
def test_labels_in_chinese_are_drawn_with_a_font_that_has_their_letters(
    chinese: list[Timeline], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    with pytest.raises(MarEdgeError, match="no installed font has the letters 头点部"):
        plot(chinese, ".png")
    assert "点头".encode() in plot(chinese, ".svg")
    for family, letters in (("Some Han", "点头"), ("More Han", "头部")):
        font_manager.fontManager.addfont(write_font(tmp_path / f"{family}.ttf", family, letters))
    picture = plot(chinese, ".png")
    assert imread(io.BytesIO(picture)).shape[1] == 1440
    svg = plot(chinese, ".svg")
    assert b"Some Han" in svg
    assert b"More Han" in svg
    assert not [each for each in recwarn if "Glyph" in str(each.message)]


def test_the_title_gives_the_number_of_dropped_frames(tmp_path: Path) -> None:
    path = Stream().hello().skeletons(0, 2).event(NOD, 0.5, 1).end(22.0, 141, 519).write(tmp_path / "run.jsonl")
    assert draw(read_timelines([path])).get_suptitle().endswith("519 of 660 frames were dropped")
