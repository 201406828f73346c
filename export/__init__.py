"""From checkpoints to model files: the deploy graph, its ONNX form, and its checks."""
