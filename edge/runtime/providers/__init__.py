"""Execution providers of ONNX Runtime."""
