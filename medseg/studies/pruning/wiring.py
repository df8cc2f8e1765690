"""Wiring of a U-Net: its convolutions, and which read the channels of which.

To remove a channel, its filter goes, its norm's two numbers, and one input of every convolution
that reads it: the next one, and that behind the join for a skip. Five groups of channels a level
are all the dependencies that a U-Net has, so they are listed here rather than traced
(docs/decisions/0038-pruning.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from torch import nn

from medseg.errors import UsageError
from medseg.networks.unet import UNet

__all__ = ["Part", "WiredConv", "require_unet", "wiring"]

Part = Literal["encoder", "bottleneck", "decoder", "head"]
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True, kw_only=True)
class WiredConv:
    """One convolution.

    Attributes:
        name: Of its module.
        norm: Name of the norm behind it; None without one.
        sources: Convolutions whose channels it reads, in the order of its inputs; none for the
            image.
        part: Where it is.
        level: From 0 at full resolution.
        transposed: Whether its weights hold inputs before outputs.
    """

    name: str
    norm: str | None
    sources: tuple[str, ...]
    part: Part
    level: int
    transposed: bool = False


def require_unet(network: nn.Module, bundle: object) -> UNet:
    """The network, if it is one that this study can take apart.

    Raises:
        UsageError: If it is not.
    """
    if not isinstance(network, UNet):
        raise UsageError(
            f"{bundle}: its network is a {type(network).__name__}; only medseg.networks.UNet can "
            "be pruned, so name another bundle"
        )
    said = network.describe()
    for key in ("residual", "deep_supervision"):
        if key in said:
            raise UsageError(
                f"{bundle}: its network has {key}={said[key]}, and channels that are added to "
                "others cannot be removed alone; name another bundle"
            )
    return network


def wiring(network: UNet) -> tuple[WiredConv, ...]:
    """Every convolution of a U-Net, in the order in which they are computed."""
    depth = len(network.levels.pools) + 1
    found: list[WiredConv] = []
    skips: list[str] = []
    before: tuple[str, ...] = ()
    for level in range(depth):
        name = "stem" if level == 0 else f"down.{level - 1}.1"
        part: Part = "bottleneck" if level == depth - 1 else "encoder"
        found += _block(network, name, before, part, level)
        before = (found[-1].name,)
        skips.append(found[-1].name)
    for place, level in enumerate(reversed(range(depth - 1))):
        name = f"up.{place}.up"
        found.append(
            WiredConv(
                name=name, norm=None, sources=before, part="decoder", level=level, transposed=True
            )
        )
        # The skip's channels are the first of the join.
        joined = (skips[level], name)
        found += _block(network, f"up.{place}.block", joined, "decoder", level)
        before = (found[-1].name,)
    head = WiredConv(name="head", norm=None, sources=before, part="head", level=0)
    return (*found, head)


def _block(
    network: UNet, name: str, sources: tuple[str, ...], part: Part, level: int
) -> Iterator[WiredConv]:
    layers = cast("Mapping[str, nn.Module]", cast("Any", network.get_submodule(name))._modules)
    names = list(layers)
    for place, (key, layer) in enumerate(layers.items()):
        if not isinstance(layer, _CONVOLUTIONS):
            continue
        own = f"{name}.{key}"
        norm = _norm_behind(list(layers.values())[place + 1 : place + 2])
        behind = f"{name}.{names[place + 1]}" if norm else None
        yield WiredConv(name=own, norm=behind, sources=sources, part=part, level=level)
        sources = (own,)


def _norm_behind(layers: Sequence[nn.Module]) -> bool:
    return bool(layers) and hasattr(layers[0], "weight") and not isinstance(layers[0], nn.PReLU)
