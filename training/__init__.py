"""Everything between motion and a checkpoint: synthetic people, data sets, training and evaluation."""
