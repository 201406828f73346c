"""Several people from recorded skeletons to events: each has the events that the person would have alone."""

from dataclasses import replace

import numpy as np
import pytest

from mar_edge.edge.data import Skeleton
from mar_edge.edge.pose.keypoints import BODY
from mar_edge.edge.pose.tracking import PeopleTracker, distinct, pose_of
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules
from mar_edge.streaming.timing import Timer
from mar_edge.training.synth.recording import record

FPS = 25
SECONDS = 14.0
MIN_SCORE = 0.3


@pytest.fixture(scope="module")
def scene():
    """Return two people who change sides between seconds 7 and 9; the second is away from 11 to 11.6."""
    people = [record(seed, duration_s=SECONDS, fps=FPS) for seed in (3, 4)]
    frames = []
    for index in range(round(SECONDS * FPS)):
        t = index / FPS
        walked = np.clip((t - 7) / 2, 0, 1)
        seen = {}
        for number, (one, start, end) in enumerate(zip(people, (0, 1500), (1500, 0), strict=True)):
            if number == 1 and (11 <= t < 11.6 or 7.8 < t < 8.2):  # away; hidden behind the other
                continue
            joints = one.joints[index] + np.array([start + (end - start) * walked, 0], np.float32)
            seen[number] = Skeleton(joints.astype(np.float32), one.scores[index].astype(np.float32), number)
        frames.append((t, seen))
    return frames


def told(frames):
    """Person -> (phase, label, start, end) of each change, to a hundredth of a second."""
    with WindowRecognizer.open(threads=1) as recognizer:
        pipeline = Pipeline(recognizer, PipelineRules(stride_s=0.4, on=0.25), Timer())
        steps = [pipeline.push(t, skeletons) for t, skeletons in frames] + [pipeline.finish(infer=True)]
    people = {}
    for change in (change for step in steps for change in step.events):
        ended = None if change.t_end_s is None else round(change.t_end_s, 2)
        people.setdefault(change.person, []).append((change.phase, change.label, round(change.t_start_s, 2), ended))
    return people, pipeline


def test_events_of_each_person_are_those_of_the_person_alone(scene):
    tracker = PeopleTracker(MIN_SCORE)
    followed, owners = [], {}
    for t, seen in scene:
        poses, whose = [], {}
        for number, skeleton in seen.items():
            body = np.column_stack([skeleton.joints, skeleton.scores])[:BODY]
            pose = pose_of(np.nan_to_num(body).astype(np.float32), np.zeros(4, np.float32), MIN_SCORE)
            poses.append(pose)
            whose[id(pose)] = number
        kept = distinct(poses, MIN_SCORE)
        skeletons = []
        for pose, person in zip(kept, tracker.update(t, kept), strict=True):
            if person is not None:
                number = whose[id(pose)]
                assert owners.setdefault(person, number) == number  # no id changes its person
                skeletons.append(replace(seen[number], person=person))
        followed.append((t, skeletons))
    assert sorted(owners.values()) == [0, 1]

    together, pipeline = told(followed)
    assert pipeline.people == 2
    events = 0
    for person in owners:
        alone, _ = told([(t, [s for s in skeletons if s.person == person]) for t, skeletons in followed])
        assert together.get(person, []) == alone.get(person, [])
        events += len(alone.get(person, []))
    assert events > 0
