"""What each network of the holistic stage is given on real frames: its crops, collected while the stage runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from mar_edge.calibration.pose.frames import Shot
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.holistic.networks import NETWORKS, Network, NetworkName, Networks
from mar_edge.edge.pose.holistic.stage import HolisticPose

Crop = NDArray[np.uint8]
"""(size, size, 3) BGR."""

# Detectors run only where nobody is followed yet. So the stage starts over this often.
_START_OVER_FRAMES = 5
_PEOPLE = 4


@dataclass
class _Kept:
    """At most ``most`` crops, evenly spread over all that were added, in their order."""

    most: int
    crops: list[Crop] = field(default_factory=list)
    _every: int = 1
    _seen: int = 0
    # Both hands use one network, each in its thread.
    _lock: Lock = field(default_factory=Lock)

    def add(self, crops: Iterable[Crop]) -> None:
        with self._lock:
            for crop in crops:
                if self._seen % self._every == 0:
                    self.crops.append(crop)
                    if len(self.crops) > self.most:
                        self.crops = self.crops[::2]
                        self._every *= 2
                self._seen += 1


@dataclass(frozen=True)
class _WatchedNetwork(Network):
    kept: _Kept

    def __call__(self, crops: Sequence[Crop]) -> dict[str, NDArray[np.float32]]:
        self.kept.add(crops)
        return super().__call__(crops)


class _Watched(Networks):
    """The package's networks, which keep what they are given."""

    def __init__(self, most: int, threads: int) -> None:
        self.kept = {name: _Kept(most) for name in NETWORKS}
        super().__init__("onnxruntime", threads)

    def __getitem__(self, name: NetworkName) -> Network:
        network = super().__getitem__(name)
        return _WatchedNetwork(name, network.runtime, self.kept[name])


def collect_crops(frames: Iterable[Shot], most: int, threads: int = 0) -> Mapping[NetworkName, Sequence[Crop]]:
    """Return at most ``most`` crops for each network, in the order of the frames, from all people in them.

    Errors of the iterable are passed on.
    """
    networks = _Watched(most, threads)
    with HolisticPose(load_layout("ma52"), focus=Focus(_PEOPLE), networks=networks) as pose:
        for number, shot in enumerate(frames):
            if shot.first or number % _START_OVER_FRAMES == 0:
                pose.forget()
            pose.estimate(shot.image, shot.t_s)
    return {name: kept.crops for name, kept in networks.kept.items()}
