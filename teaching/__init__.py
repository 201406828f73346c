"""Teaching a model file new or personal movements from a few examples, without PyTorch."""
