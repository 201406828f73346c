"""Procedural skeleton clips of people performing micro-actions: training data without a data set."""
