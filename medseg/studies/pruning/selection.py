"""Selection of the convolutions that are pruned: all, a part of the network, or one."""

from collections.abc import Iterator, Mapping, Sequence

from medseg.errors import UsageError
from medseg.networks.unet import UNet
from medseg.studies.pruning.wiring import WiredConv, wiring

__all__ = ["named_module", "ranked_thirds", "selections"]

Names = tuple[str, ...]


def selections(network: UNet) -> dict[str, Names]:
    """Names of the convolutions in each selection: all, parts, low- and high-level layers.

    Low-level layers are those of the finer half of the levels, in encoder and decoder: they see
    edges and textures; high-level ones see shapes.
    """
    found = wiring(network)
    deepest = max(one.level for one in found)
    fine = [one for one in found if one.level <= (deepest - 1) // 2]
    parts = {
        "all": found,
        **{
            part: [one for one in found if one.part == part]
            for part in ("encoder", "bottleneck", "decoder")
        },
        "low-level": fine,
        "high-level": [one for one in found if one not in fine],
    }
    return {name: tuple(one.name for one in chosen) for name, chosen in parts.items()}


def ranked_thirds(values: Mapping[str, float], *, most: str, least: str) -> dict[str, Names]:
    """The third of the convolutions with the largest values, and the third with the smallest.

    Args:
        values: Such as the distance of the weights, by convolution.
        most: Name of the first selection.
        least: Name of the second.
    """
    order = sorted(values, key=lambda name: -values[name])
    third = max(1, len(order) // 3)
    return {most: tuple(order[:third]), least: tuple(order[-third:])}


def named_module(network: UNet, name: str) -> str:
    """The convolution of that name.

    Raises:
        UsageError: If there is none; it lists them.
    """
    names = list(_names(wiring(network)))
    if name not in names:
        raise UsageError(f"--module {name}: no such convolution; there are {', '.join(names)}")
    return name


def _names(found: Sequence[WiredConv]) -> Iterator[str]:
    return (one.name for one in found)
