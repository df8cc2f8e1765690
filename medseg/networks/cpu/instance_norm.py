"""Faster instance norm for channels last (CPU).

oneDNN's convolutions work in channels last: with another layout, a fifth of a training step goes
into reordering arrays. torch's own instance norm makes them contiguous, which costs more than
that saves. On a CPU, torch's batch norm of a single sample computes the same and keeps the layout.

Reference:
    Ulyanov et al., Instance Normalization, 2016. https://arxiv.org/abs/1607.08022
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import instance_norm

from medseg.networks.cpu.layout import CHANNELS_LAST, is_channels_last_on_cpu

__all__ = ["InstanceNorm"]


class InstanceNorm(nn.Module):
    """Normalise each channel of each sample to mean 0 and variance 1; then scale and shift.

    Equals `nn.InstanceNorm2d` or `nn.InstanceNorm3d` with `affine=True`, whose weights it loads.

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
            A tensor of the same shape and memory layout.
        """
        if not torch.jit.is_scripting() and is_channels_last_on_cpu(features):  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
            # A MetaTensor would return views, which an activation must not change in place.
            plain = features.as_subclass(Tensor)
            return _sample_by_sample(plain, self.weight, self.bias, self.eps)
        return instance_norm(features, weight=self.weight, bias=self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        """Settings shown by `repr`."""
        return f"{len(self.weight)}, eps={self.eps}"


class _SampleBySample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        result = torch.empty_like(features)
        means = weight.new_empty(features.shape[:2])
        scales = torch.empty_like(means)
        for sample, out, mean, scale in zip(
            _samples(features), _samples(result), means, scales, strict=True
        ):
            _norm_into(out, (mean, scale), sample, weight, bias, eps)
        ctx.eps = eps
        # The result is not saved, since an activation may change it in place.
        ctx.save_for_backward(features, weight, means, scales)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride] - torch passes as many as forward returns
        features, weight, means, scales = ctx.saved_tensors
        uppers = _samples(gradient.contiguous(memory_format=CHANNELS_LAST[features.dim()]))
        parts = [
            _norm_backward(upper, sample, weight, moments, ctx.eps)
            for upper, sample, *moments in zip(
                uppers, _samples(features), means, scales, strict=True
            )
        ]
        lower, weights, biases = zip(*parts, strict=True)
        return _batch(lower), _added(weights), _added(biases), None


_sample_by_sample = cast("Any", _SampleBySample).apply


def _norm_into(
    out: Tensor,
    moments: tuple[Tensor, Tensor],
    sample: Tensor,
    weight: Tensor,
    bias: Tensor,
    eps: float,
) -> None:
    torch.ops.aten.native_batch_norm.out(
        sample,
        weight=weight,
        bias=bias,
        running_mean=None,
        running_var=None,
        training=True,
        momentum=0.0,
        eps=eps,
        out=out,
        save_mean=moments[0],
        save_invstd=moments[1],
    )


def _norm_backward(
    upper: Tensor, sample: Tensor, weight: Tensor, moments: Sequence[Tensor], eps: float
) -> Any:
    return torch.ops.aten.native_batch_norm_backward.default(
        upper,
        sample,
        weight=weight,
        running_mean=None,
        running_var=None,
        save_mean=moments[0],
        save_invstd=moments[1],
        train=True,
        eps=eps,
        output_mask=[True, True, True],
    )


def _samples(batch: Tensor) -> tuple[Tensor, ...]:
    return cast("Any", batch).split(1)


def _batch(samples: Sequence[Tensor]) -> Tensor:
    return samples[0] if len(samples) == 1 else torch.cat(list(samples))


def _added(gradients: Sequence[Tensor]) -> Tensor:
    return sum(gradients[1:], gradients[0])
