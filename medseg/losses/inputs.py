"""Loss inputs: plain tensors, float32 or wider, from logits and labels.

In bfloat16, sums of ones over voxels stop growing at 256; and the metadata of a MetaTensor is of
no use in a loss.
"""

import torch
from torch import Tensor

from medseg.errors import DataError
from medseg.losses.one_hot import one_hot_label

__all__ = ["binary_target", "class_labels", "plain_logits", "softmax_and_labels"]

_HALF = (torch.float16, torch.bfloat16)


def plain_logits(logits: Tensor) -> Tensor:
    """The logits as a plain tensor; half precision becomes float32, float64 stays."""
    logits = logits.as_subclass(Tensor)
    return logits.float() if logits.dtype in _HALF else logits


def class_labels(logits: Tensor, label: Tensor, *, ignore_index: int | None = None) -> Tensor:
    """One-hot encode an index label, for logits of mutually exclusive classes.

    Args:
        logits: `(B, C, *spatial)` with at least two classes.
        label: `(B, 1, *spatial)`, class indices of any dtype.
        ignore_index: Label value of voxels that belong to no class, or None.

    Returns:
        `(B, C, *spatial)`, values in {0, 1}; all zero where the label is ignored.

    Raises:
        ValueError: If the shapes do not fit, or a value is neither a class nor ignored.
    """
    if logits.shape[1] < 2:
        raise ValueError(
            f"logits must have at least 2 classes, background included, got {logits.shape[1]}"
        )
    return one_hot_label(logits, label, ignore_index=ignore_index)


def softmax_and_labels(
    logits: Tensor, label: Tensor, *, ignore_index: int | None = None
) -> tuple[Tensor, Tensor]:
    """Softmax probabilities and one-hot labels; see `class_labels` for arguments and errors.

    Returns:
        Probabilities and labels, `(B, C, *spatial)`, in [0, 1] and {0, 1}. Both are zero in
        ignored voxels, which so are neither hits nor errors.
    """
    logits = plain_logits(logits)
    labels = class_labels(logits, label, ignore_index=ignore_index)
    probabilities = logits.softmax(dim=1)
    if ignore_index is not None:
        probabilities = probabilities * labels.sum(dim=1, keepdim=True)
    return probabilities, labels


def binary_target(logits: Tensor, target: Tensor) -> Tensor:
    """The target of a multi-label loss, in the dtype and on the device of the logits.

    Args:
        logits: `(B, K, *spatial)`.
        target: `(B, K, *spatial)` of any dtype, values in {0, 1}.

    Returns:
        `(B, K, *spatial)`.

    Raises:
        ValueError: If the shapes differ: a target of one channel would be spread over all.
        DataError: If a value is neither 0 nor 1.
    """
    if logits.shape != target.shape:
        raise ValueError(
            "logits and target must have the same shape, one channel a structure, "
            f"got logits {tuple(logits.shape)} and target {tuple(target.shape)}"
        )
    target = target.as_subclass(Tensor).to(device=logits.device, dtype=logits.dtype)
    invalid = target[(target != 0) & (target != 1)]
    if invalid.numel():
        raise DataError(
            f"target values must be 0 or 1, one channel a structure, got {invalid[0].item():g}"
        )
    return target
