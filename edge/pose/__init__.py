"""Pose stages: an image in, skeletons out. The contract is in ``base``; a backend is imported by name."""
