"""Frames from cameras, files and network streams, and the people in them."""
