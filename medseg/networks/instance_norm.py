"""Instance norm that leaves channels last where they are.

oneDNN's convolutions want channels last: of a training step in another layout a fifth goes into
turning arrays to and fro. torch's own instance norm makes them contiguous, which costs more than
that saves. On a CPU its batch norm of one sample is the same thing, and keeps the layout.

Reference:
    Ulyanov et al., Instance Normalization, 2016. https://arxiv.org/abs/1607.08022
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import instance_norm

from medseg.networks.layout import CHANNELS_LAST, is_channels_last_on_cpu

__all__ = ["InstanceNorm"]


class InstanceNorm(nn.Module):
    """Each channel of each sample to mean 0 and variance 1; then a learnt scale and shift.

    `nn.InstanceNorm2d` or `nn.InstanceNorm3d` with `affine=True`, whose weights it takes.

    Args:
        channels: Of the features.
        eps: Added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Normalise.

        Args:
            features: `(B, C, *spatial)`, two or three spatial axes, more than one voxel.

        Returns:
            As large, and laid out alike.
        """
        if not torch.jit.is_scripting() and is_channels_last_on_cpu(features):  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
            # A MetaTensor makes views of what is computed, over which no activation may write.
            plain = features.as_subclass(Tensor)
            return _sample_by_sample(plain, self.weight, self.bias, self.eps)
        return instance_norm(features, weight=self.weight, bias=self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        """What stands between its brackets."""
        return f"{len(self.weight)}, eps={self.eps}"


class _SampleBySample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        ctx.eps = eps
        batch_norm = partial(
            torch.native_batch_norm,
            weight=weight,
            bias=bias,
            running_mean=None,
            running_var=None,
            training=True,
            momentum=0.0,
            eps=eps,
        )
        samples = [batch_norm(sample) for sample in _samples(features)]
        normalised, means, scales = zip(*samples, strict=True)
        ctx.save_for_backward(features, weight, *means, *scales)
        return _joined(normalised)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride] - torch passes as many as forward returns
        features, weight, *moments = ctx.saved_tensors
        batch_norm_backward = partial(
            torch.ops.aten.native_batch_norm_backward,
            weight=weight,
            running_mean=None,
            running_var=None,
            train=True,
            eps=ctx.eps,
            output_mask=[True, True, True],
        )
        gradient = gradient.contiguous(memory_format=CHANNELS_LAST[features.dim()])
        count = len(features)
        samples = [
            batch_norm_backward(upper, sample, save_mean=mean, save_invstd=scale)
            for upper, sample, mean, scale in zip(
                _samples(gradient),
                _samples(features),
                moments[:count],
                moments[count:],
                strict=True,
            )
        ]
        lower, weights, biases = zip(*samples, strict=True)
        return _joined(lower), _added(weights), _added(biases), None


_sample_by_sample = cast("Any", _SampleBySample).apply


def _samples(batch: Tensor) -> tuple[Tensor, ...]:
    return cast("Any", batch).split(1)


def _joined(samples: Sequence[Tensor]) -> Tensor:
    return samples[0] if len(samples) == 1 else torch.cat(list(samples))


def _added(gradients: Sequence[Tensor]) -> Tensor:
    return sum(gradients[1:], gradients[0])
