"""What is kept of a stream's pictures: how many, for how long, and only of one person."""

from __future__ import annotations

import numpy as np
from streaming_fakes import numbered_image, person, read_number, skeleton

from mar_edge.edge.data import Window
from mar_edge.edge.families.base import PictureNeeds, WarmUp
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.pictures.ring import PictureRing

WARM_UP = WarmUp(min_span_s=0.7, min_frames=5, max_gap_s=0.5)


def ring() -> PictureRing:
    return PictureRing(PictureNeeds(12.0, lambda image: image.copy()), WARM_UP, window_s=2.0)


def take(kept: PictureRing, number: int, *who: int, fps: float = 30.0) -> None:
    frame = Frame(number, 0, 0, number / fps, numbered_image(number))
    kept.take(frame, [skeleton(person(), each) for each in who])


def window_of(who: int = 0) -> Window:
    return Window(person()[None], np.zeros(1), who)


def test_two_seconds_at_most_twelve_a_second_whatever_the_camera_gives() -> None:
    for fps in (30.0, 60.0, 240.0, 25.0):
        kept = ring()
        for number in range(int(5 * fps)):
            take(kept, number, 0, fps=fps)
            assert len(kept) <= 25
        look = kept.look_at([window_of()])
        assert look is not None
        assert 24 <= len(look.window.pictures) <= 25
        assert 1.8 < look.end_s - look.start_s <= 2.0 + 1e-3
        numbers = [read_number(picture) for picture in look.window.pictures]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] / fps == look.end_s


def test_too_few_pictures_are_not_looked_at() -> None:
    kept = ring()
    for number in range(21):
        assert kept.look_at([window_of()]) is None
        take(kept, number, 0)
    for number in range(21, 24):
        take(kept, number, 0)
    assert kept.look_at([window_of()]) is not None
    assert kept.look_at([window_of(3)]) is None  # somebody else's window


def test_pictures_of_several_people_are_of_nobody() -> None:
    kept = ring()
    for number in range(60):
        take(kept, number, 0)
    take(kept, 60, 0, 1)
    assert kept.crowded
    assert len(kept) == 0
    take(kept, 61, 0)
    assert not kept.crowded
    assert kept.look_at([window_of()]) is None


def test_another_person_and_a_pause_begin_anew() -> None:
    kept = ring()
    for number in range(60):
        take(kept, number, 0)
    take(kept, 60, 7)
    assert len(kept) <= 1
    for number in range(61, 120):
        take(kept, number, 7)
    for number in range(120, 134):
        take(kept, number)  # nobody is seen for a moment
    take(kept, 134, 7)
    assert kept.look_at([window_of(7)]) is not None
    take(kept, 170, 7)
    assert kept.look_at([window_of(7)]) is None
