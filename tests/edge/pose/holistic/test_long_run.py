"""Two people over ten minutes: nobody changes their id or gets lost, and memory does not grow."""

import cv2
import numpy as np
import pytest

from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.holistic.stage import HolisticPose
from mar_edge.streaming.capture.demo import DemoVideo
from mar_edge.streaming.operations.metrics import resident_bytes

FPS = 30
LAYOUT = load_layout("ma52")
NOSE = LAYOUT.joints.index("nose")
SIZE = (1280, 720)
SWAY_PX = 60


def scene(demo, t_s):
    """Return a picture of two people who move their heads at different times and sway, and the middle of each."""
    left, right = demo.frame_at(t_s), cv2.flip(demo.frame_at(t_s + 7), 1)
    image = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
    middles = []
    for person, middle, phase in ((left, 330, 0.0), (right, 950, 2.0)):
        x = round(middle + SWAY_PX * np.sin(0.7 * t_s + phase))
        image[60 : 60 + len(person), x - 256 : x + 256] = person
        middles.append(x)
    return image, middles


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("frames", [60, pytest.param(600 * FPS, marks=pytest.mark.soak)])
def test_two_people_keep_their_ids_in_constant_memory(frames):
    demo = DemoVideo()
    memory, sides = [], {}
    with HolisticPose(LAYOUT, focus=Focus(people=2), threads=1) as pose:
        reported = 0
        for frame in range(frames):
            image, middles = scene(demo, frame / FPS)
            for one in pose.estimate(image, frame / FPS):
                apart = np.abs(np.array(middles) - one.joints[NOSE, 0])
                assert apart.min() < 150, (frame, one.person)
                assert sides.setdefault(one.person, int(apart.argmin())) == apart.argmin(), (frame, one.person)
                reported += 1
            memory.append(resident_bytes() or 0)
    assert sorted(sides) == [0, 1]  # nobody got another id
    assert reported > 0.99 * 2 * (frames - 20)
    early, late = (np.median(memory[part]) for part in (slice(frames // 5, frames // 5 + 10), slice(-10, None)))
    print(
        f"{reported} skeletons; memory {early / 1e6:.1f} MB after a fifth of the frames, {late / 1e6:.1f} MB at the end"
    )
    assert late - early < 16e6  # a leak of 1 kB per frame would be 14 MB
