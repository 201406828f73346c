"""Clips of pictures for calibration and others for comparison, from the videos that ``videos:PATH`` names.

A clip is ``window_s`` of a video, as the network is given it. Clips are kept in memory, 1.2 MB each.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.calibration.datasets import DatasetWindows
from mar_edge.calibration.pose.frames import files_in
from mar_edge.calibration.windows import FEWEST_WINDOWS, Source, Windows, check_different
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.families.manet import ManetFamily
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.pictures import chosen
from mar_edge.streaming.capture.readers import open_source
from mar_edge.streaming.capture.sources import parse_source
from mar_edge.training.datasets.opening import files_of
from mar_edge.training.evaluation.clip_predictions import UNLABELED
from mar_edge.training.pictures.opening import open_video_training

MOST_CLIPS = 1000
_PREFIX = "videos:"
_BATCH = 2  # activations of a clip take some 100 MB
# Runs of this many clips of a video go to calibration and to comparison in turns. Neighbors of one run are alike.
_RUN = 10
# Clips that are looked at as pictures.
_LOOKED_AT = 128
# Standard deviation of a pixel over the clips, of 255.
_NO_DIFFERENCE = 2.0
# Mean squared step from pixel to pixel over twice their variance: 1 for white noise.
_NOISE_RATIO = 0.3


@dataclass(frozen=True)
class Videos:
    """Every second run of clips of some videos (see ``Source``).

    part: 0 or 1, which runs. Videos of less than ``window_s`` are one clip each.
    """

    name: str
    files: tuple[Path, ...]
    window_s: float
    part: int

    def read(self, count: int) -> Windows:
        """See ``Source``. The first clips of each video, ``MOST_CLIPS`` in all at most."""
        clips: list[NDArray[np.uint8]] = []
        most = min(count, MOST_CLIPS)
        numbered = list(enumerate(self.files))
        for files in (numbered[self.part :: 2], numbered[1 - self.part :: 2]):  # the first run of these is ours
            for done, (number, file) in enumerate(files):
                share = -(-(most - len(clips)) // (len(files) - done))
                with closing(self._clips(number, file)) as found:
                    clips += islice(found, share)
        if not clips:
            raise MarEdgeError(f"{self.name} has no clip to read; it takes two videos, or one of {2 * _RUN} clips")
        labels = np.full(len(clips), UNLABELED, np.int64)
        return Windows({"frames": np.stack(clips)}, labels, self.name, _BATCH)

    def check_worth(self, windows: Windows, to: str = "calibrate", fewest: int = FEWEST_WINDOWS) -> None:
        """See ``Source``."""
        check_pictures(windows, to, fewest)

    def _clips(self, number: int, file: Path) -> Generator[NDArray[np.uint8], None, None]:
        """Yield the clips of this part, (8, 224, 224, 3) RGB."""
        reader, kept = open_source(parse_source(str(file))), ManetFamily().pictures.kept
        try:
            index, start_s, pictures = 0, None, list[NDArray[np.uint8]]()
            while reader.grab():
                start_s = reader.media_s() if start_s is None else start_s
                place = int((reader.media_s() - start_s) // self.window_s)
                if place > index:
                    if pictures:
                        yield chosen(pictures)
                    index, pictures = place, []
                if (number + index // _RUN) % 2 == self.part:
                    pictures.append(kept(reader.retrieve()))
            if pictures and index == 0:  # a short video; the end of a longer one is left out
                yield chosen(pictures)
        finally:
            reader.close()


def open_pictures(spec: str, metadata: ModelMetadata) -> tuple[Source, Source]:
    """Return clips for calibration and other clips for comparison.

    Of listed videos they are the training and the validation split, or the two halves of a single list.

    Raises:
        MarEdgeError: ``spec`` names no videos.
    """
    path = _path(spec)
    if _is_listed(path):
        training, validation = open_video_training(
            spec, None, seed=0, mirror=0.0, validation_share=0.5, labels=metadata.labels
        )
        learnt, held_out = (
            DatasetWindows(each, metadata, check_pictures, _BATCH, MOST_CLIPS) for each in (training, validation)
        )
        return learnt, held_out
    files = tuple(files_in([path]))
    name = f"videos of {path.name}, clips of {metadata.window_s:g} s"
    return Videos(name, files, metadata.window_s, 0), Videos(name, files, metadata.window_s, 1)


def picture_files(spec: str) -> list[Path]:
    """Return the files that ``videos:PATH`` names: lists, videos or pictures.

    Raises:
        MarEdgeError: it has another form, or the folder has none.
    """
    path = _path(spec)
    return files_of(spec) if _is_listed(path) else files_in([path])


def _path(spec: str) -> Path:
    path = spec.removeprefix(_PREFIX)
    if path == spec or not path:
        raise MarEdgeError(
            f"a MANet takes pictures, which '{spec}' does not have; name videos of people to measure on: "
            "--data videos:FOLDER, videos:FILE or videos:LIST"
        )
    return Path(path)


def _is_listed(path: Path) -> bool:
    """Return whether it is a list of videos, or a folder with lists of splits (``training.pictures.lists``)."""
    found = [path] if path.is_file() else [*path.glob("train*"), *path.glob("val*")]
    return any(one.suffix.lower() in {".txt", ".csv"} for one in found)


def check_pictures(windows: Windows, to: str = "calibrate", fewest: int = FEWEST_WINDOWS) -> None:
    """Refuse to calibrate or compare (``to``) on clips that are not representative of what cameras see.

    Raises:
        MarEdgeError: there are too few different clips, they are alike, or they are noise.
    """
    check_different(windows, windows.inputs["frames"], to, fewest)
    some = windows.first(_LOOKED_AT).inputs["frames"]
    middle = some[:, some.shape[1] // 2].astype(np.float32)  # (N, H, W, 3): one frame of each clip is enough
    if float(middle.std(axis=0).mean()) < _NO_DIFFERENCE:
        raise MarEdgeError(f"the clips of {windows.name} hardly differ from each other; {to} on more varied data")
    steps = np.square(np.diff(middle, axis=2)).mean(axis=(1, 2, 3))
    ratio = float(np.median(steps / np.maximum(2 * middle.var(axis=(1, 2)).mean(axis=-1), 1e-6)))
    if not ratio < _NOISE_RATIO:
        raise MarEdgeError(
            f"{windows.name} is noise, not pictures: neighboring pixels have nothing in common (ratio {ratio:.2f}, for "
            "pictures of people about 0.02). Ranges measured on it would be wrong"
        )
