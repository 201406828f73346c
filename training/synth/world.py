"""Distributions of people, cameras and rooms of synthetic clips: one for training, another for testing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.synth.draws import Range


@dataclass(frozen=True)
class World:
    """Ranges. Lengths in meters, angles in degrees.

    stature_m: mean and standard deviation.
    proportion: length of each bone, relative to the average for that stature.
    head: size of the head, relative to the average.
    seat_m: height of the seat.
    posture: factor on the usual differences of posture between people.
    pace: factor on the duration of every movement.
    desk: share of desk clips; the others are room clips.
    standing: share of standing people in a room.
    yaw_deg, far_yaw_deg: yaw of most cameras, and of those further to the side (1 in 5).
    room_m, room_height_m: distance and height of room cameras.
    room_fill: share of the image height filled by the 1.35 m from a seated person's crown to the floor.
    desk_m, desk_fov_deg: distance and field of view of webcams.
    tilt_deg: standard deviation of camera roll.
    camera_fps: frames per second.

    standing_to_hips: share of standing people in pictures to the hips.
    face_only, desk_to_hips, desk_crop: shares of desk clips that show the face, the body to the hips, or any part;
    the others show head and shoulders.
    room_to_hips, room_crop: shares of room clips; the others show the whole person.
    moving_camera: share of clips.
    drag: share of people whose shoulders follow the head where the pose stage sees little else.
    noise_by_size: factor on the extra noise of small people.
    loose_hands: share of people whose clasped hands jitter.
    low_hands: factor on the frequency of low rest places, far from the goals of hands.
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
    standing_to_hips: float = 0.7
    face_only: float = 0.15
    desk_to_hips: float = 0.15
    desk_crop: float = 0.1
    room_to_hips: float = 0.2
    room_crop: float = 0.15
    moving_camera: float = 0.15
    drag: float = 0.8
    noise_by_size: float = 1.0
    loose_hands: float = 0.7
    low_hands: float = 5.0

    def without(self, *features: str) -> World:
        """Return the same world without some of ``FEATURES``, for ablations.

        Raises:
            MarEdgeError: a feature does not exist.
        """
        unknown = [name for name in features if name not in FEATURES]
        if unknown:
            raise MarEdgeError(f"no feature '{unknown[0]}' of synthetic worlds; there are: {', '.join(FEATURES)}")
        off: dict[str, float] = {}
        for name in features:
            off |= FEATURES[name]
        return replace(self, **off)  # type: ignore[arg-type]  # mypy cannot know that the keys are fields of floats


# Features by name, and the field values that disable them.
FEATURES: dict[str, dict[str, float]] = {
    "drag": {"drag": 0.0},
    "framing": {
        "standing_to_hips": 0.0,
        "face_only": 0.0,
        "desk_to_hips": 0.0,
        "desk_crop": 0.0,
        "room_to_hips": 0.0,
        "room_crop": 0.0,
    },
    "camera": {"moving_camera": 0.0},
    "hands": {"loose_hands": 0.0, "low_hands": 1.0},
    "noise-by-size": {"noise_by_size": 0.0},
}


TRAINING = World(
    stature_m=(1.69, 0.1),
    proportion=(0.92, 1.08),
    head=(0.92, 1.08),
    seat_m=(0.42, 0.58),
    posture=1.0,
    pace=(0.9, 1.1),
    desk=0.5,
    standing=0.2,
    yaw_deg=(-25, 25),
    far_yaw_deg=(-45, 45),
    room_m=(1.2, 4.0),
    room_height_m=(0.7, 1.8),
    room_fill=(0.35, 1.1),
    desk_m=(0.5, 1.2),
    desk_fov_deg=(52, 82),
    tilt_deg=1.5,
    camera_fps=(14, 31),
)
# A wider world than TRAINING. People are taller or shorter, with other proportions and slower or faster movements.
# Cameras are higher, lower, further to the side, nearer or farther, with lower frame rates.
HELD_OUT = World(
    stature_m=(1.64, 0.14),
    proportion=(0.86, 1.13),
    head=(0.87, 1.14),
    seat_m=(0.38, 0.64),
    posture=1.25,
    pace=(0.75, 1.35),
    desk=0.5,
    standing=0.2,
    yaw_deg=(-34, 34),
    far_yaw_deg=(-55, 55),
    room_m=(1.0, 5.5),
    room_height_m=(0.5, 2.2),
    room_fill=(0.22, 1.35),
    desk_m=(0.45, 1.4),
    desk_fov_deg=(48, 92),
    tilt_deg=2.5,
    camera_fps=(9, 31),
    face_only=0.18,
    room_to_hips=0.22,
    room_crop=0.2,
    moving_camera=0.2,
    noise_by_size=1.2,
)
