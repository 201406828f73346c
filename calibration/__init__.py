"""Models in fewer bits: ranges of activations, int8 in the graph, and the guard that compares with FP32."""
