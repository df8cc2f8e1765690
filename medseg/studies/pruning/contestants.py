"""Contestants: the pruned network, its controls, and the flat U-Net of the same cost.

Pruning is worth something only beside three others: random channels of the same numbers, the same
structure trained from the beginning, and a U-Net that is thin everywhere.

References:
    Liu et al., Rethinking the value of network pruning, ICLR 2019.
    https://arxiv.org/abs/1810.05270
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from torch import Tensor

from medseg._files import write_atomically
from medseg.errors import UsageError
from medseg.networks.unet import UNet
from medseg.networks.weights import load_weights
from medseg.studies.pruning.choice import channel_importance, least_important, random_channels
from medseg.studies.pruning.macs import unet_macs
from medseg.studies.pruning.removal import channel_counts, without_channels
from medseg.studies.pruning.subject import Subject, batch_gradients
from medseg.studies.pruning.training import train_network

__all__ = ["Contestant", "Recipe", "flat_unet", "train_contestants"]

Name = Literal["original", "pruned", "random channels", "from scratch", "flat"]
_CHOICE, _RECIPE = "channels.json", "recipe.json"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a smaller network is made.

    Attributes:
        keep: Share of the multiplications, in (0, 1).
        step: Channels removed at a time, and the least a convolution keeps.
        batches: Training batches by which importance is judged.
        iterations: Of the fine-tuning.
        scratch_iterations: Of networks that begin untrained.
        seed: Of the random channels.
    """

    keep: float
    step: int
    batches: int
    iterations: int
    scratch_iterations: int
    seed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Contestant:
    """One network of the comparison.

    Attributes:
        name: What it is.
        network: After its training.
        weights: Their file.
        iterations: Batches that it was trained here.
        before: The network before its training here; None if that is untrained.
    """

    name: Name
    network: UNet
    weights: Path
    iterations: int
    before: UNet | None


def train_contestants(subject: Subject, recipe: Recipe, folder: Path) -> list[Contestant]:
    """Make and train all of them; what the folder holds already is not done again.

    Args:
        subject: The bundle.
        recipe: How.
        folder: Of the comparison.

    Raises:
        UsageError: If the folder holds those of another recipe or other weights.
    """
    _require_same(subject, recipe, folder / _RECIPE)
    chosen = _choice(subject, recipe, folder / _CHOICE)
    original = subject.network
    pruned, drawn = (without_channels(original, chosen[name]) for name in ("pruned", "random"))
    flat = flat_unet(original, subject.window, most=unet_macs(pruned, subject.window))
    found = [
        Contestant(
            name="original",
            network=original,
            weights=subject.weights,
            iterations=0,
            before=original,
        )
    ]
    plan: list[tuple[Name, UNet, Mapping[str, Tensor] | None, int]] = [
        ("pruned", pruned, pruned.state_dict(), recipe.iterations),
        ("random channels", drawn, drawn.state_dict(), recipe.iterations),
        ("from scratch", pruned, None, recipe.scratch_iterations),
        ("flat", flat, None, recipe.scratch_iterations),
    ]
    for name, network, state, iterations in plan:
        weights = train_network(
            subject,
            folder / name.replace(" ", "_"),
            description=network.describe(),
            state=state,
            iterations=iterations,
        )
        trained = _built(network.describe())
        load_weights(trained, weights)
        found.append(
            Contestant(
                name=name,
                network=trained.eval(),
                weights=weights,
                iterations=iterations,
                before=None if state is None else network,
            )
        )
    return found


def flat_unet(network: UNet, window: tuple[int, ...], *, most: int) -> UNet:
    """The widest U-Net of the same depth, with one width in all levels, within a cost.

    Args:
        network: Whose other choices it has.
        window: Voxels along each axis.
        most: Multiplications of a window.
    """
    width = 1
    while unet_macs(_flat(network, width + 1), window) <= most:
        width += 1
    return _flat(network, width).eval()


def _require_same(subject: Subject, recipe: Recipe, path: Path) -> None:
    """Refuse to mix trainings of two recipes; note this one where there is none."""
    wanted = {"weights": subject.predictor.provenance.tensors_sha256, **asdict(recipe)}
    if not path.exists():
        text = json.dumps(wanted)
        write_atomically(path, partial(Path.write_text, data=text, encoding="utf-8"))
    there = json.loads(path.read_text(encoding="utf-8"))
    changed = [name for name in wanted if there.get(name) != wanted[name]]
    if changed:
        told = ", ".join(f"{name} {there.get(name)}, not {wanted[name]}" for name in changed)
        raise UsageError(f"{path.parent}: was made with {told}; give another --out")


def _flat(network: UNet, width: int) -> UNet:
    described = {**network.describe(), "first_width": width, "growth": 1.0}
    return _built({**described, "max_width": None, "widths": None})


def _built(description: Mapping[str, Any]) -> UNet:
    return UNet(**{name: value for name, value in description.items() if name != "_target_"})


def _choice(subject: Subject, recipe: Recipe, path: Path) -> dict[str, dict[str, list[int]]]:
    """The channels that stay, chosen and drawn; written once, so that a resumed study has them."""
    if path.exists():
        return cast("dict[str, dict[str, list[int]]]", json.loads(path.read_text(encoding="utf-8")))
    gradients = batch_gradients(subject, recipe.batches)
    kept = least_important(
        subject.network,
        channel_importance(subject.network, gradients),
        window=subject.window,
        keep=recipe.keep,
        step=recipe.step,
    )
    drawn = random_channels(kept, channel_counts(subject.network), seed=recipe.seed)
    chosen = {"pruned": kept, "random": drawn}
    text = json.dumps(chosen)
    write_atomically(path, partial(Path.write_text, data=text, encoding="utf-8"))
    return chosen
