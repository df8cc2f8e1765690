"""Max-pooling that stays in bf16 under autocast (CPU)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d

from medseg.networks.cpu.layout import leaves_python

__all__ = ["MaxPool3d"]


class MaxPool3d(nn.Module):
    """Max-pooling over windows that do not overlap, as `nn.MaxPool3d(size)`.

    Under autocast on a CPU, torch converts the features to fp32 first. A maximum is exact in any
    precision, and so is its gradient; torch's form that also returns indices does not convert.

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
        """Settings shown by `repr`."""
        return f"{self.size}"
