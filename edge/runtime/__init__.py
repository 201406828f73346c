"""Runtimes, which execute model files. The contract is in ``base``; a backend is imported by name."""
