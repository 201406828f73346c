"""GPUs, as the TensorRT runtime needs them. The contract is in ``base``; a library's file is imported by name."""
