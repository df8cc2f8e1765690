"""Flat U-Net of equal cost: the width at which a U-Net of one width costs as much as another.

A U-Net doubles its features at each level. A flat one has as many at each, so that most of its
cost is at full resolution; whether that is worse is a comparison only if both cost the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from medseg.errors import UsageError
from medseg.networks.known import KnownNetwork, build_shell
from medseg.networks.macs import macs

__all__ = ["flat_width"]

_WIDEST = 4096


def flat_width(
    network: KnownNetwork, patch_size: Sequence[int], choices: Mapping[str, Any] | None = None
) -> int:
    """The `first_width` of a flat U-Net whose MACs are nearest to those of a network.

    Args:
        network: A U-Net, whose other arguments the flat one has too; or another network, where
            `choices` has to name them.
        patch_size: Spatial size of the image.
        choices: Arguments of the flat U-Net that differ, such as `depth`.

    Returns:
        A width of at least 1; the smaller of two that are equally near.

    Raises:
        UsageError: If the patch does not fit, or no width up to 4096 costs as much.
    """
    described = network.describe()
    if described.pop("_target_") != "medseg.networks.UNet":
        described = {key: described[key] for key in ("spatial_dims", "in_channels", "out_channels")}
    shape = (int(described["in_channels"]), *patch_size)
    sought = macs(network, shape)

    def cost(width: int) -> int:
        flat = {
            **described,
            "max_width": None,
            **(choices or {}),
            "first_width": width,
            "growth": 1,
        }
        return macs(build_shell(flat, "the flat U-Net", UsageError), shape)

    low, high = 1, 2
    while cost(high) < sought:
        low, high = high, 2 * high
        if high > _WIDEST:
            raise UsageError(f"no flat U-Net up to a width of {_WIDEST} costs {sought} MACs")
    # cost rises with the width, so the nearest is one of two neighbours
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle) < sought else (low, middle)
    return low if sought - cost(low) <= cost(high) - sought else high
