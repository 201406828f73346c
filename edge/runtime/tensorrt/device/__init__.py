"""GPUs, as the TensorRT runtime needs them. The contract is in ``base``; what implements it is imported by name."""
