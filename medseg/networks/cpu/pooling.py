"""Max-pooling in the precision of its features."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d

from medseg.networks.cpu.layout import leaves_python

__all__ = ["MaxPool3d"]


class MaxPool3d(nn.Module):
    """Max-pooling over windows that do not overlap, as `nn.MaxPool3d(size)`.

    On a CPU, torch under autocast first turns the features into fp32. The greatest of some numbers
    is one of them in any precision, and its gradient goes to it alone; torch's form that also tells
    where it was stays in that of the features.

    Args:
        size: Voxels of a window along each axis.
    """

    def __init__(self, size: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size

    def forward(self, features: Tensor) -> Tensor:
        """Pool `(B, C, *spatial)`."""
        if torch.jit.is_scripting() or leaves_python():  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
            return max_pool3d(features, self.size)
        return max_pool3d(features, self.size, return_indices=True)[0]

    def extra_repr(self) -> str:
        """What stands between its brackets."""
        return f"{self.size}"
