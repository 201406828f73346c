"""Runtimes: what executes a model file. The contract is in ``base``; a backend is imported by name."""
