"""The holistic stage's networks in FP16 and INT8, compared by keypoints with FP32 on real frames."""
