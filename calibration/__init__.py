"""Models in FP16 and INT8: ranges of activations (calibration), quantization, and the comparison with FP32."""
