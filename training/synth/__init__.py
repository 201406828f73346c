"""Procedural skeleton clips of people doing micro-actions: what the network learns from without a data set."""
