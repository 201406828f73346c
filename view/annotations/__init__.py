"""Annotation files, modules for each program that write them (timelines in, bytes out) and read them back."""
