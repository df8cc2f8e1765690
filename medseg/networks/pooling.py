"""Max-pooling in the precision of its features."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d

from medseg.networks.layout import leaves_python

__all__ = ["MaxPool3d"]


class MaxPool3d(nn.MaxPool3d):
    """torch's, which on a CPU under autocast first turns its features into fp32.

    The greatest of some numbers is one of them in any precision, and so is its gradient. torch's
    form that also tells where they were stays in that of the features.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Pool `(B, C, *spatial)`."""
        if torch.jit.is_scripting() or leaves_python():  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
            return max_pool3d(input, self.kernel_size, self.stride)
        return max_pool3d(input, self.kernel_size, self.stride, return_indices=True)[0]
