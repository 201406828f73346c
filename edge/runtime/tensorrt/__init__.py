"""TensorRT engines: built from model files, cached, checked and run. ``opening`` gives a runtime for a file."""
