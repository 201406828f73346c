"""The points that a pose model marks on the figure, projected by a camera: a room camera or a desk webcam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mar_edge.training.synth.arms import Arms
from mar_edge.training.synth.camera_motion import move
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints
from mar_edge.training.synth.framing import Framing, borders
from mar_edge.training.synth.ik import rotation, unit
from mar_edge.training.synth.legs import Legs
from mar_edge.training.synth.rig import Body, Trunk
from mar_edge.training.synth.world import World

# Point order: the 33 of BlazePose, wrist and five tips of each hand, the six of FACE_MESH_POINTS.
BODY, LEFT_HAND, RIGHT_HAND, FACE = slice(0, 33), slice(33, 39), slice(39, 45), slice(45, 51)
POINTS = 51
_HEAD_POINTS = slice(0, 11)
_LEFT_EAR, _RIGHT_EAR = 7, 8

# (x left, y up, z front) m from the joint between skull and spine, of an average adult head: BlazePose 0-10. Ears are
# marked further inward than they are: 1.85 eye distances apart on real people.
_BLAZE_HEAD = (
    (0, 0.016, 0.118),  # nose
    (0.017, 0.047, 0.088),
    (0.032, 0.047, 0.084),
    (0.046, 0.046, 0.074),
    (-0.017, 0.047, 0.088),
    (-0.032, 0.047, 0.084),
    (-0.046, 0.046, 0.074),
    (0.06, 0.03, 0.0),
    (-0.06, 0.03, 0.0),
    (0.025, -0.028, 0.09),
    (-0.025, -0.028, 0.09),
)
_MESH_HEAD = (
    (0, 0.032, 0.103),  # nose bridge
    (0, 0.0, 0.105),
    (-0.046, 0.046, 0.074),
    (0.046, 0.046, 0.074),
    (0, -0.02, 0.103),
    (0, -0.038, 0.097),  # lower lip
)
_LOWER_LIP = 5

# With frequencies: usual cameras, and small pictures, in which the pose stage makes larger errors.
_ROOM_SIZES = {
    (1080, 1296): 4.0,
    (1280, 720): 2.0,
    (640, 480): 2.0,
    (960, 1080): 2.0,
    (480, 270): 0.5,
    (360, 640): 0.5,
    (320, 240): 0.3,
}
_DESK_SIZES = {
    (640, 480): 3.0,
    (1280, 720): 3.0,
    (960, 540): 2.0,
    (1080, 1296): 1.0,
    (480, 270): 0.7,
    (400, 300): 0.7,
    (480, 854): 0.7,
    (320, 240): 0.6,
    (176, 144): 0.4,
}
_SEATED_M = 1.35
_LEAST_PX_PER_M = 200 / _SEATED_M  # smaller people are treated alike
_HEAD_ROOM_M = 0.16  # around the middle of the face


@dataclass(frozen=True)
class Views:
    """points (N, T, 51, 2) px; size (N, 2) px width and height; scale (N,) px for a meter at the person.

    framing: (N,) ``Framing``. turn: (N, T, 3) rad of head turn to the left, bow, and tilt to the right, relative to
    the chest.
    """

    points: Floats
    size: Floats
    scale: Floats
    framing: Ints
    turn: Floats


def marked_points(body: Body, trunk: Trunk, arms: Arms, legs: Legs, *, talking: Floats) -> Floats:
    """Return the points (N, T, 51, 3) m on the figure; ``talking`` (N, T) m opens the mouth."""
    N, T = talking.shape
    points = np.empty((N, T, POINTS, 3), np.float32)
    shape = np.array(_BLAZE_HEAD + _MESH_HEAD, np.float32) * body.head[:, None]
    # All moments of a clip in one product: separate products of such small matrices took five times as long.
    axes = trunk.head_frame.transpose(0, 3, 1, 2).reshape(N, 3, T * 3)
    head = (shape @ axes).reshape(N, -1, T, 3).swapaxes(1, 2) + trunk.head[:, :, None]
    head[:, :, len(_BLAZE_HEAD) + _LOWER_LIP] -= talking[..., None] * trunk.head_frame[..., 1]
    points[:, :, _HEAD_POINTS], points[:, :, FACE] = head[:, :, :11], head[:, :, 11:]
    for start, pair in (
        (11, trunk.shoulders),
        (13, arms.elbows),
        (15, arms.wrists),
        (23, trunk.hips),
        (25, legs.knees),
        (27, legs.ankles),
        (29, legs.heels),
        (31, legs.toes),
    ):
        points[:, :, start : start + 2] = pair
    points[:, :, 17:23:2], points[:, :, 18:23:2] = arms.knuckles[:, :, 0], arms.knuckles[:, :, 1]
    for side, hand in enumerate((LEFT_HAND, RIGHT_HAND)):
        points[:, :, hand.start] = arms.wrists[:, :, side]
        points[:, :, hand.start + 1 : hand.stop] = arms.tips[:, :, side]
    return points


def view(draws: Draws, points: Floats, trunk: Trunk, desk: Bools, world: World, *, framing: Ints, t: Floats) -> Views:
    """Project points (N, T, 51, 3) m at t (N, T) s; cameras of ``desk`` (N,) clips are close, at a desk."""
    N = len(points)
    narrow = draws.chance(0.8, N)
    yaw = np.where(narrow, draws.uniform(world.yaw_deg, N), draws.uniform(world.far_yaw_deg, N))
    distance = np.where(desk, draws.log_uniform(world.desk_m, N), draws.log_uniform(world.room_m, N))
    head = trunk.head.mean(axis=1)
    aim = head.copy()
    aim[:, 1] -= np.where(desk, draws.uniform((-0.05, 0.22), N), head[:, 1] * draws.uniform((0.35, 0.5), N))
    aim[:, 2] += np.where(desk, np.float32(0), np.float32(0.15))
    height = np.where(desk, head[:, 1] + draws.uniform((-0.35, 0.2), N), draws.uniform(world.room_height_m, N))
    yaw = np.deg2rad(yaw)
    eye = np.stack([aim[:, 0] + distance * np.sin(yaw), height, aim[:, 2] + distance * np.cos(yaw)], axis=-1)

    # The camera's axes: x to the right in the image, y up, z from the scene to the lens.
    back = unit(eye - aim)
    right = unit(np.stack([back[:, 2], np.zeros_like(yaw), -back[:, 0]], axis=-1))
    up = np.cross(back, right)
    frame = np.stack([right, up, back], axis=-1)  # (N, 3, 3)
    nil = np.zeros(N, np.float32)
    frame = frame @ rotation(nil, nil, np.deg2rad(np.float32(world.tilt_deg) * draws.normal(N)))
    points = _ears_at_silhouette(points, trunk, eye)
    inward = frame.swapaxes(1, 2)
    seen = inward @ points.reshape(N, -1, 3).swapaxes(1, 2) - inward @ eye[..., None]  # (N, 3, T 51)
    flat = np.empty((*points.shape[:-1], 2), np.float32)  # in the plane at 1 m from the lens, y up
    ahead = np.maximum(-seen[:, 2], np.float32(0.1))
    for axis in (0, 1):
        flat[..., axis] = (seen[:, axis] / ahead).reshape(points.shape[:-1])

    sizes = np.where(desk[:, None], _sizes(draws, _DESK_SIZES, N), _sizes(draws, _ROOM_SIZES, N))
    reach = np.sqrt(((eye - aim) ** 2).sum(axis=-1))
    desk_focal = sizes.max(axis=1) / (2 * np.tan(np.deg2rad(draws.uniform(world.desk_fov_deg, N)) / 2))
    room_focal = draws.log_uniform(world.room_fill, N) * sizes[:, 1] / np.float32(_SEATED_M) * reach
    room_focal = np.maximum(room_focal, np.float32(_LEAST_PX_PER_M) * reach)
    focal = np.where(desk, desk_focal, room_focal).astype(np.float32)
    center = sizes * (0.5 + draws.uniform((-0.1, 0.1), N, 2))
    _crop(draws, framing, flat, sizes=sizes, focal=focal, center=center)
    pixels = flat * focal[:, None, None, None] * np.array((1, -1), np.float32) + center[:, None, None]
    _keep_head_in(pixels, sizes, scale := (focal / reach).astype(np.float32), framing)
    move(draws, pixels, sizes, t, world)
    return Views(pixels, sizes, scale, framing, _turn(trunk))


def _sizes(draws: Draws, known: dict[tuple[int, int], float], N: int) -> Floats:
    return np.array(list(known), np.float32)[draws.choice(list(known.values()), N)]


def _crop(draws: Draws, framing: Ints, flat: Floats, *, sizes: Floats, focal: Floats, center: Floats) -> None:
    """Set focal lengths (N,) and centers (N, 2) px, in place, of pictures that show a part of the body."""
    N = len(flat)
    levels = ((2, 5), (9, 10), (11, 12), (23, 24), (25, 26))
    still = flat[:, ::8].mean(axis=1)  # (N, 51, 2)
    v = [still[:, pair, 1].mean(axis=1) for pair in levels]
    v.append(still[:, 27:29, 1].min(axis=1))
    top, bottom = borders(draws, framing, np.stack(v, axis=1))
    cut = (framing != Framing.FULL) & (framing != Framing.BUST)
    # An upright picture shows more space above the head instead of half a face.
    of_height = np.minimum(sizes[:, 1], sizes[:, 0]) / (top - bottom)
    across = still[:, _HEAD_POINTS, 0].mean(axis=1)
    aside = draws.normal(N) * np.float32(0.08)
    focal[cut] = of_height[cut]
    center[cut, 0] = (sizes[:, 0] * (np.float32(0.5) + aside) - focal * across)[cut]
    center[cut, 1] = (sizes[:, 1] + focal * bottom)[cut]


def _turn(trunk: Trunk) -> Floats:
    """Return ``Views.turn``."""
    chest, head = trunk.chest_frame, trunk.head_frame

    def part(of_chest: int, of_head: int) -> Floats:
        along: Floats = (chest[..., of_chest] * head[..., of_head]).sum(axis=-1)
        return along

    yaw = np.arctan2(part(0, 2), part(2, 2))
    bow = -np.arcsin(np.clip(part(1, 2), -1, 1))
    roll = np.arcsin(np.clip(part(1, 0), -1, 1))
    return np.stack([yaw, bow, roll], axis=-1)


def _keep_head_in(pixels: Floats, sizes: Floats, scale: Floats, framing: Ints) -> None:
    """Shift the image, in place, so that the head is usually inside, as in real pictures."""
    head = pixels[:, ::8, _HEAD_POINTS].mean(axis=(1, 2))  # (N, 2)
    room = np.minimum(np.float32(_HEAD_ROOM_M) * scale[:, None], np.float32(0.45) * sizes)
    shift = np.clip(head, room, sizes - room) - head
    # Pictures framed on a part of the body stay as they are.
    shift[(framing != Framing.FULL) & (framing != Framing.BUST), 1] = 0
    pixels += shift[:, None, None]


def _ears_at_silhouette(points: Floats, trunk: Trunk, eye: Floats) -> Floats:
    """Slide hidden ears forward along the skull: a pose model places them at the edge of the face."""
    to_eye = unit(eye[:, None] - trunk.head)  # (N, T, 3)
    leftness = np.einsum("nti,nti->nt", to_eye, trunk.head_frame[..., 0])
    forward = trunk.head_frame[..., 2]
    for ear, sign in ((_LEFT_EAR, 1), (_RIGHT_EAR, -1)):
        hidden = np.clip(-sign * leftness, 0, 1)
        points[:, :, ear] += np.float32(0.1) * hidden[..., None] * forward
    return points
