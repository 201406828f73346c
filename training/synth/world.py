"""The people, cameras and rooms that clips are drawn from: those to learn from, and others to be tested on."""

from __future__ import annotations

from dataclasses import dataclass

from edge.errors import MarEdgeError
from training.synth.draws import Range


@dataclass(frozen=True)
class World:
    """Ranges. Lengths in metres, angles in degrees.

    stature_m: mean and standard deviation. proportion: each bone's length about the average of that stature.
    posture: times the usual differences of posture between people. pace: times the duration of every movement.
    yaw_deg: most cameras', and those that stand further to the side (1 in 5). room_fill: of the image's height, by
    the 1.35 m from a seated person's crown to the floor.
    """

    stature_m: tuple[float, float]
    proportion: Range
    head: Range
    seat_m: Range
    posture: float
    pace: Range
    desk: float
    standing: float
    yaw_deg: Range
    far_yaw_deg: Range
    room_m: Range
    room_height_m: Range
    room_fill: Range
    desk_m: Range
    desk_fov_deg: Range
    tilt_deg: float
    camera_fps: Range

    def without(self, *names: str) -> World:
        """The same without what these switches name.

        Raises:
            MarEdgeError: there is no such switch.
        """
        raise MarEdgeError(f"no switch {', '.join(names)}: this world has none")


TRAINING = World(
    stature_m=(1.69, 0.1),
    proportion=(0.92, 1.08),
    head=(0.92, 1.08),
    seat_m=(0.42, 0.58),
    posture=1.0,
    pace=(0.9, 1.1),
    desk=0.4,
    standing=0.06,
    yaw_deg=(-25, 25),
    far_yaw_deg=(-45, 45),
    room_m=(1.2, 4.0),
    room_height_m=(0.7, 1.8),
    room_fill=(0.6, 1.1),
    desk_m=(0.5, 1.2),
    desk_fov_deg=(52, 82),
    tilt_deg=1.5,
    camera_fps=(14, 31),
)
# Taller and shorter people with other proportions, cameras higher, lower, further to the side, nearer and farther,
# slower and quicker movements, lower frame rates: beside and beyond what was learned from.
HELD_OUT = World(
    stature_m=(1.64, 0.14),
    proportion=(0.86, 1.13),
    head=(0.87, 1.14),
    seat_m=(0.38, 0.64),
    posture=1.25,
    pace=(0.75, 1.35),
    desk=0.4,
    standing=0.06,
    yaw_deg=(-34, 34),
    far_yaw_deg=(-55, 55),
    room_m=(1.0, 5.5),
    room_height_m=(0.5, 2.2),
    room_fill=(0.45, 1.05),
    desk_m=(0.45, 1.4),
    desk_fov_deg=(48, 92),
    tilt_deg=2.5,
    camera_fps=(9, 31),
)
