"""One-hot encoding of index labels, with a check for values that are no class.

Such a value would otherwise raise a scatter error, which on CUDA ends the process and does not
name the value.
"""

from typing import cast

import torch
from torch import Tensor

from medseg._checks import check_same_spatial_shape

__all__ = ["one_hot_label"]

# torch stores these dtypes but cannot compare them.
_WIDE_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def one_hot_label(logits: Tensor, label: Tensor, *, ignore_index: int | None = None) -> Tensor:
    """One-hot encode a label in the shape and dtype of the logits.

    Args:
        logits: `(B, C, *spatial)`; only shape, dtype and device matter.
        label: `(B, 1, *spatial)`, class indices of any dtype.
        ignore_index: Label value of voxels that belong to no class, or None.

    Returns:
        `(B, C, *spatial)`, values in {0, 1}; all zero where the label is ignored.

    Raises:
        ValueError: If the shapes do not fit, or a value is neither a class nor ignored.
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


def _refuse(label: Tensor, known: Tensor, classes: int, ignore_index: int | None) -> None:
    values = cast("list[float]", label[~known].tolist())  # pyright: ignore[reportUnknownMemberType] - torch leaves tolist untyped
    strange = sorted({str(value) for value in values})  # as text, where NaN equals NaN
    allowed = f"0 to {classes - 1}" + ("" if ignore_index is None else f" or {ignore_index}")
    more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
    raise ValueError(f"label values must be {allowed}, got {', '.join(strange[:5])}{more}")
