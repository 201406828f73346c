"""CUDA, built into the package ``onnxruntime-gpu``."""

from __future__ import annotations

from mar_edge.edge.runtime.providers.base import Provider, load_cuda, require_built_in

CUDA_NAME = "CUDAExecutionProvider"


def cuda() -> Provider:
    """Return the provider. FP32 is FP32, not TF32.

    Raises:
        MarEdgeError: this ONNX Runtime has no CUDA.
    """
    require_built_in(CUDA_NAME)
    missing = load_cuda()
    return Provider(
        CUDA_NAME,
        "CUDA",
        {"use_tf32": "0"},
        remedy=f"{missing or 'CUDA and cuDNN were found'}; check that 'nvidia-smi' shows the GPU, and that CUDA and "
        "cuDNN have the versions that this ONNX Runtime needs: pip install 'onnxruntime-gpu[cuda,cudnn]'",
    )
