"""Recordings: the messages of the wire, written, read and replayed."""
