"""From motion to a checkpoint: the synthesiser, data sets, training and evaluation."""
