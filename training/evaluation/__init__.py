"""Evaluation of a model: on clips, on recordings, and for a challenge."""
