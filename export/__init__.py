"""From checkpoints to model files: the deploy graph, its ONNX form, its checks."""
