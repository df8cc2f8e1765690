"""Loss inputs: plain tensors, float32 or wider, from logits and labels.

In bfloat16, sums of ones over voxels stop growing at 256; and the metadata of a MetaTensor is of
no use in a loss.
"""

from typing import cast

import torch
from torch import Tensor

from medseg._checks import check_same_spatial_shape, first_few
from medseg.errors import DataError

__all__ = ["binary_target", "class_labels", "one_hot_label", "plain_logits", "softmax_and_labels"]

_HALF = (torch.float16, torch.bfloat16)
# torch stores these dtypes but cannot compare them.
_WIDE_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def plain_logits(logits: Tensor) -> Tensor:
    """The logits as a plain tensor; half precision becomes float32, float64 stays."""
    logits = logits.as_subclass(Tensor)
    return logits.float() if logits.dtype in _HALF else logits


def one_hot_label(logits: Tensor, label: Tensor, *, ignore_index: int | None = None) -> Tensor:
    """One-hot encode a label in the shape and dtype of the logits.

    A value that is no class would otherwise raise a scatter error, which on CUDA ends the process
    and does not name the value.

    Args:
        logits: `(B, C, *spatial)`; only shape, dtype and device matter.
        label: `(B, 1, *spatial)`, class indices of any dtype.
        ignore_index: Label value of voxels that belong to no class, or None.

    Returns:
        `(B, C, *spatial)`, values in {0, 1}; all zero where the label is ignored.

    Raises:
        ValueError: If the shapes do not fit.
        DataError: If a value is neither a class nor ignored.
    """
    check_same_spatial_shape(logits, label)
    if label.shape[1] != 1:
        raise ValueError(f"label must have one channel of class indices, got {label.shape[1]}")
    label = label.as_subclass(Tensor).to(logits.device)
    if label.dtype in _WIDE_UNSIGNED:
        label = label.long()
    # Compare with tensors, not numbers: a number is cast to the label's dtype, where the
    # ignored -1 would become class 255 of a uint8 label.
    classes = torch.arange(logits.shape[1], device=label.device)
    one_hot = label == classes.view(-1, *(1,) * (label.ndim - 2))
    ignored = torch.zeros((), dtype=torch.bool, device=label.device)
    if ignore_index is not None:
        ignored = label == torch.tensor([ignore_index], device=label.device)
        one_hot = one_hot & ~ignored
    if int(one_hot.sum() + ignored.sum()) != label.numel():
        _refuse(label, one_hot.any(dim=1, keepdim=True) | ignored, logits.shape[1], ignore_index)
    return one_hot.to(logits.dtype)


def class_labels(logits: Tensor, label: Tensor, *, ignore_index: int | None = None) -> Tensor:
    """One-hot encode an index label, for logits of mutually exclusive classes.

    Args:
        logits: `(B, C, *spatial)` with at least two classes.
        label: `(B, 1, *spatial)`, class indices of any dtype.
        ignore_index: Label value of voxels that belong to no class, or None.

    Returns:
        `(B, C, *spatial)`, values in {0, 1}; all zero where the label is ignored.

    Raises:
        ValueError: If the shapes do not fit.
        DataError: If a value is neither a class nor ignored.
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


def _refuse(label: Tensor, known: Tensor, classes: int, ignore_index: int | None) -> None:
    values = cast("list[float]", label[~known].tolist())  # pyright: ignore[reportUnknownMemberType] - torch leaves tolist untyped
    strange = sorted({str(value) for value in values})  # as text, where NaN equals NaN
    allowed = f"0 to {classes - 1}" + ("" if ignore_index is None else f" or {ignore_index}")
    raise DataError(f"label values must be {allowed}, got {first_few(strange)}")
