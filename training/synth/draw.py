"""Draw a clip for visual inspection: an animated skeleton (MP4, GIF) or eight frames side by side (PNG)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import draft_of
from mar_edge.edge.layout import Layout, load_layout

Image = NDArray[np.uint8]

# BGR, by region of the body.
_COLORS = {"head": (90, 200, 250), "trunk": (240, 240, 240), "arms": (120, 220, 120), "legs": (230, 150, 110)}
_SHOULDERS = (5, 6)
_GIF_GAP_S = 0.04
_INK, _PAPER = (200, 200, 200), 24


def write_animation(
    path: Path, clip: NDArray[np.float32], duration_s: float, title: str = "", height: int = 480
) -> None:
    """Write a clip (T, V, 2) of any unit, y down, as an MP4 or a GIF of ``duration_s`` s.

    A GIF has fewer frames: its times are hundredths of a second, and viewers slow down above 50 frames per second.

    Raises:
        MarEdgeError: the file cannot be written, or Pillow, which writes GIFs, is not installed.
    """
    write = _write_gif if path.suffix == ".gif" else _write_mp4
    write(path, [_titled(frame, title) for frame in draw_frames(clip, height)], duration_s)


def _write_mp4(path: Path, frames: list[Image], duration_s: float) -> None:
    size = (frames[0].shape[1], frames[0].shape[0])
    with draft_of(path) as draft:
        writer = cv2.VideoWriter(str(draft), cv2.VideoWriter.fourcc(*"mp4v"), (len(frames) - 1) / duration_s, size)
        if not writer.isOpened():
            raise MarEdgeError(f"cannot write a video to {path}; it should end in .mp4")
        try:
            for frame in frames:
                writer.write(frame)
        finally:
            writer.release()
        # OpenCV does not report a full disk.
        written = cv2.VideoCapture(str(draft))
        whole = written.get(cv2.CAP_PROP_FRAME_COUNT) == len(frames)
        written.release()
        if not whole:
            raise MarEdgeError(f"cannot write {path}: the video is incomplete; is the disk full?")


def _write_gif(path: Path, frames: list[Image], duration_s: float) -> None:
    try:
        from PIL import Image as Pillow
    except ImportError:
        raise MarEdgeError("a GIF needs Pillow: pip install pillow (or name a file that ends in .mp4)") from None
    gap_s = max(duration_s / (len(frames) - 1), _GIF_GAP_S)
    moments = np.linspace(0, len(frames) - 1, round(duration_s / gap_s) + 1).round().astype(np.int64)
    first, *others = (Pillow.fromarray(frames[i][..., ::-1]) for i in moments)
    gap_ms = round(100 * duration_s / len(others)) * 10
    with draft_of(path) as draft:
        first.save(draft, save_all=True, append_images=others, duration=gap_ms, loop=0)


def contact_sheet(
    clips: NDArray[np.float32], titles: list[str], columns: int = 8, height: int = 240, view: str = "all"
) -> Image:
    """Draw clips (N, T, V, 2) as rows of ``columns`` evenly spaced frames each: (N height, width, 3) BGR.

    ``view`` enlarges a part: "head" (with shoulders), "upper" (also trunk and arms), or shows "all".
    """
    moments = np.linspace(0, clips.shape[1] - 1, columns).round().astype(np.int64)
    rows = [
        _titled(np.hstack(draw_frames(clip[moments], height, view=view)), title)
        for clip, title in zip(clips, titles, strict=True)
    ]
    width = max(row.shape[1] for row in rows)
    return np.vstack([cv2.copyMakeBorder(r, 0, 2, 0, width - r.shape[1], cv2.BORDER_CONSTANT) for r in rows])


def draw_frames(clip: NDArray[np.float32], height: int, layout: Layout | None = None, view: str = "all") -> list[Image]:
    """Draw every frame of a clip (T, V, 2) at one common scale that fits all of it."""
    layout = layout or load_layout("ma52")
    framed = clip[:, np.array(_framed(layout, view))]
    low, high = framed.min(axis=(0, 1)), framed.max(axis=(0, 1))
    margin = 12
    scale = (height - 2 * margin) / max(float(high[1] - low[1]), 1e-3)
    width = int(np.clip((high[0] - low[0]) * scale + 2 * margin, 80, 2 * height))
    scale = min(scale, (width - 2 * margin) / max(float(high[0] - low[0]), 1e-3))
    places = np.clip((clip - low) * scale + margin, -4000, 4000)
    color = {joint: _COLORS[region] for region, joints in layout.regions.items() for joint in joints}
    images = []
    for joints in places.round().astype(int):
        image = np.full((height, width, 3), _PAPER, np.uint8)
        for joint, parent in layout.bones:
            cv2.line(image, joints[joint].tolist(), joints[parent].tolist(), color[joint], 1, cv2.LINE_AA)
        for joint, place in enumerate(joints):
            cv2.circle(image, place.tolist(), 2, color[joint], -1, cv2.LINE_AA)
        images.append(image)
    return images


def _framed(layout: Layout, view: str) -> tuple[int, ...]:
    """Return the joints of a view."""
    regions = layout.regions
    views = {
        "all": tuple(range(layout.num_joints)),
        "upper": (*regions["head"], *regions["trunk"], *regions["arms"]),
        "head": (*regions["head"], *_SHOULDERS),
    }
    return views[view]


def _titled(image: Image, title: str) -> Image:
    cv2.putText(image, title, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.35, _INK, 1, cv2.LINE_AA)
    return image
