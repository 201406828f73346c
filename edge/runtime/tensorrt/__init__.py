"""TensorRT engines: built from model files, kept, checked and opened. ``edge.runtime.tensorrt.runner`` runs them."""
