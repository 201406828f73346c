"""mar-edge: what runs on the device. Imports nothing of export, streaming, calibration or training."""

__version__ = "0.1.0"
