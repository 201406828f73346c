"""Skeletons over time to events: window, trigger, recognizer, event rules."""
