"""Cache key of a converted network: weights, layers, window, and library versions."""

import hashlib
from importlib.metadata import PackageNotFoundError, version

import torch
from torch import nn

__all__ = ["engine_key"]


def engine_key(
    network: nn.Module, weights: str | None, *, window: tuple[int, ...], channels: int
) -> str:
    """A digest that changes whenever the converted network would change.

    Args:
        network: Its `repr` is included, for what is not in the weights, such as the activations.
        weights: Identifier of the weights; None uses their digest.
        window: Voxels of a window along each axis.
        channels: Of the image.

    Returns:
        32 hexadecimal digits.
    """
    # Layers of another version of MONAI or medseg may compute differently with the same `repr`.
    versions = [_version(package) for package in ("torch", "openvino", "monai", "medseg")]
    parts = [weights or _weights_sha256(network), repr(network), window, channels, versions]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _weights_sha256(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        raw = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(raw.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
