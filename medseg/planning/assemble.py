"""Assembly of a plan: all rules in their order, from facts of a data set to a draft of a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from medseg.bundles.writing.draft import Draft, RecipeName
from medseg.data.manifest import Manifest
from medseg.errors import UsageError
from medseg.planning.fingerprint.set_facts import SetFacts
from medseg.planning.rules.choice import Choice
from medseg.planning.rules.grid import View, patch_size, picture_pixels, spacing, view_of
from medseg.planning.rules.intensity import (
    content,
    measured_voxels,
    recipe_of,
    require_scales,
    scales,
    window,
)
from medseg.planning.rules.levels import LevelPlan, fitted_patch, level_choices, plan_levels
from medseg.planning.rules.network import (
    border_choices,
    cell_choices,
    centres,
    class_weights,
    first_width,
    fixed_choices,
    loss,
)
from medseg.planning.rules.pins import pinned, pinned_all
from medseg.planning.rules.training import Length, draws, training_choices
from medseg.planning.rules.warp import elastic_mm, flip_axes, rotation_degrees

__all__ = ["Planned", "Size", "assemble"]

_TRAINING = (
    "epochs", "iterations_per_epoch", "batch_size", "learning_rate", "schedule",
    "early_stop_patience", "max_minutes", "val_interval", "precision", "num_workers", "cache",
    "seed",
)  # fmt: skip
MOST_LEVELS = 5
NOT_IN_CONFIG = ("threshold", "waist_px", "least_px", "largest_hole_px")


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a search turns: voxels of a patch, width of the network, patches of a batch."""

    voxels: int
    width: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A draft and the reason for each of its numbers.

    Attributes:
        view: What one input of the network is.
        recipe_why: Why this recipe.
        choices: In the order of `train.yaml`.
        draft: Without pages.
    """

    view: View
    recipe_why: str
    choices: tuple[Choice, ...]
    draft: Draft = field(repr=False)

    def value(self, key: str) -> Any:
        """The value of a planned key."""
        return next(choice.value for choice in self.choices if choice.key == key)


def assemble(  # noqa: PLR0913 - all that a plan depends on
    name: str,
    manifest: Manifest,
    facts: SetFacts,
    size: Size,
    length: Length,
    *,
    told: str,
    pins: Mapping[str, Any],
    cache: str = "memory",
) -> Planned:
    """Plan a bundle.

    Args:
        name: Of the bundle.
        manifest: Of its data set.
        facts: Of that.
        size: Of the network's input and width.
        length: Of the training.
        told: What was measured on this machine, as evidence.
        pins: Values that the user gave, by key.
        cache: Where prepared cases are kept.

    Raises:
        UsageError: If a pinned value does not fit the others.
        DataError: If there is no recipe for such images.
    """
    recipe, recipe_why = recipe_of(facts)
    view = view_of(facts, size.voxels)
    grid = _grid(facts, view, size, pins)
    levels, patch = _patch(facts, view, grid, size, pins)
    seen = _seen(facts, view, patch, grid)
    lossdef, loss_choices = loss(facts)
    cells, of_cells = cell_choices(facts) if facts.label_kind == "instances" else (None, [])
    choices = pinned_all(
        [
            *fixed_choices(facts)[1:2],
            *([grid] if recipe != "histology_he" else []),
            *seen,
            *level_choices(levels, patch.value, grid.value),
            first_width(size.width, told),
            *fixed_choices(facts)[:1],
            *loss_choices,
            *training_choices(facts, length, size.batch, told),
            *draws(facts),
            *_machine(cache, told),
            *fixed_choices(facts)[2:],
            *of_cells,
        ],
        pins,
    )
    values = {choice.key: choice.value for choice in choices}
    if "scales" in values:
        require_scales(values["scales"], [one.name for one in facts.each])
    if cells is not None:
        cells = type(cells)(**{key: values[key] for key in NOT_IN_CONFIG})
    draft = Draft(
        name=name,
        manifest=manifest,
        recipe=recipe,
        seen=_recipe_values(recipe, facts, values),
        network=_network(facts, levels, values),
        loss=_with_numbers(lossdef, values),
        optimizer={"_target_": "torch.optim.Adam", "fused": True},
        training={key: values[key] for key in _TRAINING},
        control=_control(values),
        cells=cells,
        notes=_notes(facts, view),
        validated_on="training" if facts.patients == 1 else "validation",
    )
    return Planned(view=view, recipe_why=recipe_why, choices=tuple(choices), draft=draft)


def _grid(facts: SetFacts, view: View, size: Size, pins: Mapping[str, Any]) -> Choice:
    choice = picture_pixels(facts) if view == "picture" else spacing(facts, view, size.voxels)
    choice = pinned(choice, pins)
    _require_axes(choice, facts.axes)
    return choice


def _patch(
    facts: SetFacts, view: View, grid: Choice, size: Size, pins: Mapping[str, Any]
) -> tuple[LevelPlan, Choice]:
    choice = pinned(patch_size(facts, view, grid.value, size.voxels), pins)
    _require_axes(choice, facts.axes)
    most = int(pins.get("network_def#depth", MOST_LEVELS))
    levels = plan_levels(choice.value, grid.value, most)
    if "network_def#kernel_sizes" in pins or "network_def#pool_sizes" in pins:
        levels = LevelPlan(
            kernels=_sizes(pins.get("network_def#kernel_sizes", levels.kernels)),
            pools=_sizes(pins.get("network_def#pool_sizes", levels.pools)),
        )
    if levels.depth != pins.get("network_def#depth", levels.depth):
        raise UsageError(
            f"--set depth={pins['network_def#depth']}: a patch of {_plain(choice.value)} allows "
            f"{levels.depth} levels; set a larger patch_size, too"
        )
    fitted = fitted_patch(choice.value, levels)
    if "patch_size" in pins and fitted != list(choice.value):
        raise UsageError(
            f"--set patch_size={_plain(choice.value)}: the network halves its axes by "
            f"{levels.strides}; "
            f"use patch_size={_plain(fitted)}"
        )
    return levels, Choice(
        key=choice.key,
        value=fitted,
        why=f"{choice.why}, as multiples of {'x'.join(map(str, levels.strides))}",
        evidence=choice.evidence,
        changes=choice.changes,
    )


def _sizes(value: Any) -> tuple[tuple[int, ...], ...]:
    try:
        return tuple(tuple(int(one) for one in row) for row in value)
    except TypeError as error:
        raise UsageError(
            f"--set: kernel_sizes and pool_sizes are a list for each level, got {value!r}"
        ) from error


def _require_axes(choice: Choice, axes: int) -> None:
    given: object = choice.value
    numbers = cast("list[object]", given) if isinstance(given, list | tuple) else []
    if len(numbers) != axes or not all(isinstance(n, int | float) and n > 0 for n in numbers):
        raise UsageError(f"--set {choice.key}: needs {axes} numbers above 0, got {given!r}")


def _plain(value: Sequence[int]) -> str:
    return "[" + ",".join(str(one) for one in value) + "]"


def _seen(facts: SetFacts, view: View, patch: Choice, grid: Choice) -> list[Choice]:
    recipe, _ = recipe_of(facts)
    whole = all(p >= n for p, n in zip(patch.value, facts.shape, strict=True))
    of_patch = [patch, centres(facts, holds_the_image=whole)]
    if recipe == "histology_he":
        return of_patch
    turns = [flip_axes(facts), rotation_degrees(facts, view, grid.value)]
    if recipe == "microscopy":
        return [content(facts), *of_patch, *border_choices(facts), *class_weights(facts), *turns]
    scale = {"mri_volume": measured_voxels, "several_channels": scales}.get(recipe, window)
    return [scale(facts), *of_patch, *turns, elastic_mm(facts, view)]


def _machine(cache: str, told: str) -> list[Choice]:
    return [
        Choice(
            key="precision",
            value="auto",
            why="bf16 if the processor computes in it, else fp32",
            evidence=told,
            changes="nothing: each machine chooses for itself",
        ),
        Choice(
            key="cache",
            value=cache,
            why="prepared cases fit into memory"
            if cache == "memory"
            else "prepared cases do not fit into memory",
            evidence=told,
            changes="more or larger cases, or another --memory-gb",
        ),
    ]


def _recipe_values(
    recipe: RecipeName, facts: SetFacts, values: Mapping[str, Any]
) -> dict[str, Any]:
    seen = {key: value for key, value in values.items() if "#" not in key}
    seen["centres"] = {
        "_target_": "medseg.transforms.Centres",
        "foreground": values["centres#foreground"],
    }
    if recipe == "microscopy":
        weighted = facts.label_kind == "instances"
        seen |= {
            "labels_are": facts.label_kind,
            "class_weights": values.get("class_weights"),
            "warped": ["image", "label", "weight"] if weighted else ["image", "label"],
            "warp_modes": ["linear", "nearest", "linear"] if weighted else ["linear", "nearest"],
        }
    return seen


def _control(values: Mapping[str, Any]) -> dict[str, Any]:
    prefix = "control#"
    return {
        key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)
    }


def _network(facts: SetFacts, levels: LevelPlan, values: Mapping[str, Any]) -> dict[str, Any]:
    network: dict[str, Any] = {
        "spatial_dims": facts.axes,
        "first_width": values["network_def#first_width"],
        "depth": levels.depth,
        "norm": "both",
        "norm_kind": "instance",
    }
    return {**network, **levels.arguments}


def _with_numbers(lossdef: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values.get(f"loss#{key}", value) for key, value in lossdef.items()}


def _notes(facts: SetFacts, view: View) -> dict[str, str]:
    notes = {"network_def#kernel_sizes": "none along thick slices", "loss": "both 0.5: Dice"}
    if view == "slices":
        notes["patch_size"] = "voxels of a patch: one slice"
    if facts.label_kind == "instances":
        notes["loss"] = ""
    return notes
