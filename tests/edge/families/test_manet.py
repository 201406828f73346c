"""What MANet is given: the middle of eight pictures, as the authors' pipeline cuts it."""

from __future__ import annotations

import numpy as np
import pytest

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.families import manet
from mar_edge.edge.families.manet import ManetFamily
from mar_edge.edge.pictures import chosen, small


def window(*pictures: np.ndarray) -> Window:
    return Window(np.zeros((1, 44, 2), np.float32), np.zeros(1), pictures=pictures)


def test_frames_of_a_camera_become_the_clip_of_a_video() -> None:
    bgr = np.random.default_rng(0).integers(0, 256, (20, 300, 400, 3), np.uint8)
    family = ManetFamily()
    kept = [family.pictures.kept(frame) for frame in bgr]
    assert all(picture.base is None or picture.base.nbytes == picture.nbytes for picture in kept)  # no frame is held
    frames = family.inputs([window(*kept), window(*kept[:3])])["frames"]
    assert frames.shape == (2, *family.input_shapes["frames"])
    assert frames.dtype == family.input_dtype
    rgb = [np.ascontiguousarray(frame[:, :, ::-1]) for frame in bgr]
    np.testing.assert_array_equal(frames[0], chosen([small(frame) for frame in rgb]))
    np.testing.assert_array_equal(frames[1], chosen([small(frame) for frame in rgb[:3]]))


@pytest.mark.parametrize("shape", [(1, 60_000, 3), (60_000, 2, 3), (40, 161, 3)])
def test_of_a_very_long_picture_only_the_middle_is_resized(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []

    def noting(frame: np.ndarray) -> np.ndarray:
        seen.append(frame.shape)
        return small(frame)

    monkeypatch.setattr(manet, "small", noting)
    picture = ManetFamily().pictures.kept(np.full(shape, 7, np.uint8))
    assert picture.shape == (224, 224, 3)
    assert (picture == 7).all()
    assert max(seen[0][:2]) == 4 * min(seen[0][:2])


def test_skeletons_alone_are_refused_in_one_line() -> None:
    with pytest.raises(MarEdgeError, match=r"skeletons alone; 'serve' and 'analyze' run it on video"):
        ManetFamily().inputs([window()])
