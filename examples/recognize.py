"""Recognize micro-actions with the Python API: events, scores frame by frame, and a summary.

    python examples/recognize.py                 the built-in demo, up to its second event

    python examples/recognize.py clip.mp4        a video, whole

    python examples/recognize.py 0               the first camera, until Ctrl-C

Editors that know cells (# %%) run it step by step.
"""

# %% The source: a video, a camera, a recording; without an argument the built-in demo
import sys
from collections import defaultdict
from itertools import islice

import numpy as np

import mar_edge

source = sys.argv[1] if len(sys.argv) > 1 else "demo:"
most_events = None if len(sys.argv) > 1 else 2

# %% The model: what it can recognize, and what it sees of a person
model = mar_edge.load_model()
print(f"{model.name}: {len(model.labels)} labels, windows of {model.window_s:g} s, {len(model.joints)} joints")

# %% Events as they end. Closing the generator closes the camera and the pose stage.
events = mar_edge.recognize(source, model=model)
seconds: defaultdict[str, float] = defaultdict(float)
try:
    for event in islice(events, most_events):
        lasted_s = event.end_s - event.start_s
        seconds[event.label] += lasted_s
        what = f"person {event.person}  {event.label} [{event.body}]"
        print(f"{event.start_s:6.1f} s  {what}, lasted {lasted_s:.1f} s, score {event.score:.2f}")
except KeyboardInterrupt:
    pass
events.close()

# %% How long each action lasted, all together
for label, lasted_s in sorted(seconds.items(), key=lambda item: -item[1]):
    print(f"{lasted_s:6.1f} s  {label}")

# %% Skeletons of your own, frame by frame: here a person who does not move for three seconds
joints = [[100.0 + 3 * joint, 50.0 + 5 * joint] for joint in range(len(model.joints))]
with mar_edge.Recognizer(model) as recognizer:
    updates = [recognizer.push(np.array(joints), t_s=frame / 30) for frame in range(90)]
    updates.append(recognizer.finish())
begun = sum(len(update.begun) for update in updates)
print(f"standing still: {begun} events in {updates[-1].t_s:.1f} s")
model.close()
