"""The PyTorch definition of MMN, and its checkpoints. Serving never imports it."""
