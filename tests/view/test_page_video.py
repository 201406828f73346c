"""The video of a recording on the page: picture and skeleton show the same moment; what browsers cannot play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
from browser import Seen, opened, review_of
from numbered_video import BIT_PX, BITS, FIRST_PX, HEIGHT, MARK, STEP_PX, WIDTH, record_video, write_video

# The number in the picture on the canvas, and that of the figure, by its left edge below the bits. Both are read from
# one copy of the canvas.
NUMBERS = """([width, height, bit, bits, mark]) => {
  const canvas = document.getElementById("canvas");
  const { data, width: across, height: tall } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const margin = 14 * across / canvas.clientWidth;
  const scale = Math.min((across - 2 * margin) / width, (tall - 2 * margin) / height);
  const [left, top] = [(across - width * scale) / 2, (tall - height * scale) / 2];
  const light = (x, y) => {
    const at = 4 * (Math.round(top + y * scale) * across + Math.round(left + x * scale));
    return data[at] + data[at + 1] + data[at + 2];
  };
  let picture = -mark;
  for (let n = 0; n < bits; n += 1) if (light(bit * (n + 0.5), bit / 2) > 380) picture += 2 ** n;
  let edge = width;
  for (let y = 200; y < 280; y += 1) for (let x = 0; x < edge; x += 0.5) if (light(x, y) > 200) edge = x;
  return { picture, edge };
}"""
GEOMETRY = [WIDTH, HEIGHT, BIT_PX, BITS, MARK]
PICTURES = 60


def shown(seen: Seen, number: int) -> float:
    """Wait for a picture; return how far the figure's edge is from the place of that number, px."""
    both = f"({{ picture, edge }}) => picture === {number} && edge < {WIDTH}"
    seen.until(f"(geometry) => ({both})(({NUMBERS})(geometry))", GEOMETRY)
    return float(seen.page.evaluate(NUMBERS, GEOMETRY)["edge"]) - FIRST_PX - STEP_PX * number


# A video may begin late: players differ in whether its time begins at 0 then.
@pytest.mark.parametrize("first", [0, 15])
def test_picture_and_skeleton_show_the_same_moment(chromium: Any, tmp_path: Path, first: int) -> None:
    video = write_video(tmp_path / "walk.webm", PICTURES, first=first)
    with review_of([record_video(video, tmp_path / "walk.jsonl")]) as url, opened(chromium, url) as seen:
        off_px = shown(seen, 0)
        assert seen.page.inner_text("#stream") == "walk.webm"
        for number in range(1, 4):
            seen.page.click("#on")
            assert abs(shown(seen, number) - off_px) < STEP_PX / 2
        for at_ms, number in ((1000, 30), (500, 15), (1500, 45)):  # over a range of the file that was not read before
            seen.page.fill("#place", str(at_ms))
            assert abs(shown(seen, number) - off_px) < STEP_PX / 2
        seen.page.keyboard.press("Shift+ArrowLeft")
        assert abs(shown(seen, 35) - off_px) < STEP_PX / 2
        seen.page.fill("#place", "0")
        shown(seen, 0)
        seen.page.click("#play")
        played = seen.page.evaluate(
            f"""async (geometry) => {{
              const found = [];
              while (document.getElementById("play").textContent === "Pause" || found.length < 5) {{
                found.push(({NUMBERS})(geometry));
                await new Promise(requestAnimationFrame);
              }}
              return found;
            }}""",
            GEOMETRY,
        )
        apart = [each["picture"] - (each["edge"] - off_px - FIRST_PX) / STEP_PX for each in played]
        assert max(map(abs, apart)) < 1.5
        assert len({each["picture"] for each in played}) > 5
        assert "0:00.5 · 0.7 s" in seen.page.inner_text("#events")
        with seen.page.expect_download() as download:
            seen.page.click("#exports a >> text=.eaf")
        assert f"file://{video}" in download.value.path().read_text(encoding="utf-8")
        assert (seen.errors, seen.foreign) == ([], [])


def test_a_video_that_the_browser_cannot_play_leaves_the_skeleton(chromium: Any, tmp_path: Path) -> None:
    video = write_video(tmp_path / "walk.avi", PICTURES, "mpeg4")
    with review_of([record_video(video, tmp_path / "walk.jsonl")]) as url, opened(chromium, url) as seen:
        seen.says("video", "cannot play walk.avi")
        seen.until("() => document.getElementById('canvas').ariaLabel === 'Skeleton of 1 person'")
        seen.page.click("#on")
        seen.says("time", "0:00.033 of 0:01.967")
        seen.page.click("#play")
        seen.says("time", "0:01.967 of")
        # A damaged file, and one that was removed.
        video.rename(tmp_path / "walk.mp4")
        seen.page.reload()
        seen.says("video", "cannot play walk.avi")


def test_a_video_of_something_else_is_noticed(chromium: Any, tmp_path: Path) -> None:
    recording = record_video(write_video(tmp_path / "walk.webm", PICTURES), tmp_path / "walk.jsonl")
    write_video(tmp_path / "walk.webm", 10)
    with review_of([recording]) as url, opened(chromium, url) as seen:
        seen.says("video", "walk.webm ends at 0:00.3, the recording at 0:02.0: is it the right video?")
