"""Recipe and intensity scaling: by modality, with numbers from the labels' own intensities."""

from collections.abc import Sequence
from typing import Any, cast

from medseg.bundles.writing.draft import RecipeName
from medseg.errors import DataError, UsageError
from medseg.planning.fingerprint.set_facts import SetFacts, at
from medseg.planning.rules.choice import Choice

__all__ = ["content", "measured_voxels", "recipe_of", "require_scales", "scales", "window"]

# Of the span of the labelled intensities, added on either side for what surrounds them.
AROUND = 0.5
LEAST_CT = 200.0
MANY_ZEROS = 0.05
MUCH_AIR = 0.4
_WINDOW, _Z_SCORE = "medseg.transforms.WindowScale", "medseg.transforms.ZScoreScale"


def recipe_of(facts: SetFacts) -> tuple[RecipeName, str]:
    """The recipe, and why.

    Raises:
        DataError: If there is none for such images.
    """
    if facts.channels > 1:
        return _several(facts)
    if facts.kind == "picture":
        if facts.modality == "histology" and facts.label_kind == "mask" and facts.colour == "rgb":
            return "histology_he", "stained tissue in colour with masks: stains are varied"
        return "microscopy", "pictures: each is scaled by its own mean and spread"
    if facts.colour == "rgb":
        raise DataError("volumes in colour have no recipe; give grey ones")
    if facts.modality == "CT":
        return "ct_body", "CT: one window for all, as HU mean the same on every scanner"
    if facts.modality == "PT":
        return "pet_volume", "PET: one window for all, as uptake in SUV means the same everywhere"
    return "mri_volume", f"{facts.modality} has no unit: each image is scaled by itself"


def _several(facts: SetFacts) -> tuple[RecipeName, str]:
    if facts.kind == "picture":
        raise DataError(
            "pictures of several channels have no recipe; save each case as one picture in colour, "
            "or plan with one channel (--images)"
        )
    if facts.colour == "rgb":
        raise DataError("volumes in colour have no recipe; give grey ones")
    names = ", ".join(one.name for one in facts.each)
    return "several_channels", f"{names}: each channel is scaled as its own modality needs it"


def scales(facts: SetFacts) -> Choice:
    """How each of several channels is scaled: CT and PET by a window, others image by image."""
    each = [_scale(facts.of_channel(one)) for one in facts.each]
    named = [(channel.name, why) for channel, (_, why) in zip(facts.each, each, strict=True)]
    return Choice(
        key="scales",
        value=[value for value, _ in each],
        why="; ".join(f"{name}: {choice.why}" for name, choice in named),
        evidence="; ".join(f"{name}: {choice.evidence}" for name, choice in named),
        changes="; ".join(f"{name}: {choice.changes}" for name, choice in named),
    )


def require_scales(given: object, channels: Sequence[str]) -> None:
    """Refuse scales that the user gave and that are not one for each channel.

    Raises:
        UsageError: If they are none.
    """
    from medseg.transforms.channel_scale import WindowScale, ZScoreScale

    kinds: dict[object, Any] = {_WINDOW: WindowScale, _Z_SCORE: ZScoreScale}
    entries = cast("list[object]", given) if isinstance(given, list) else []
    if len(entries) != len(channels):
        raise UsageError(
            f"--set scales: needs an entry for each of {', '.join(channels)}, e.g. "
            f"{{_target_: {_WINDOW}, low: 0, high: 10}}, got {given!r:.80}"
        )
    for name, entry in zip(channels, entries, strict=True):
        values = dict(cast("dict[str, Any]", entry)) if isinstance(entry, dict) else {}
        kind = kinds.get(values.pop("_target_", None))
        try:
            if kind is None:
                raise TypeError
            kind(**values)
        except TypeError as error:
            raise UsageError(
                f"--set scales: {name} must be {{_target_: {_WINDOW}, low: 0, high: 10}} or "
                f"{{_target_: {_Z_SCORE}, over: nonzero}}, got {entry!r:.80}"
            ) from error


def _scale(facts: SetFacts) -> tuple[dict[str, Any], Choice]:
    if facts.modality in ("CT", "PT"):
        choice = window(facts)
        low, high = choice.value
        return {"_target_": _WINDOW, "low": low, "high": high}, choice
    choice = measured_voxels(facts)
    return {"_target_": _Z_SCORE, "clip": [0.0, 99.5], "over": choice.value}, choice


def window(facts: SetFacts) -> Choice:
    """Intensities that become 0 and 1."""
    low, high = at(facts.inside, 2.0), at(facts.inside, 98.0)
    if facts.modality == "PT":
        top = max(at(facts.inside, 98.0), at(facts.outside, 95.0), 1e-3)
        return Choice(
            key="window",
            value=[0.0, float(f"{top:.2g}")],
            why="from no uptake to nearly the highest in the labels",
            evidence=(
                f"98 of 100 labelled voxels are below {at(facts.inside, 98.0):.3g} {facts.unit}"
            ),
            changes="lesions of higher uptake raise it",
        )
    middle, span = (low + high) / 2, max((high - low) * (1 + AROUND), LEAST_CT)
    return Choice(
        key="window",
        value=[float(round(middle - span / 2)), float(round(middle + span / 2))],
        why=(
            "the labels' own intensities and a quarter of their span on either side, for what "
            "surrounds them"
        ),
        evidence=f"96 of 100 labelled voxels lie between {low:.0f} and {high:.0f} {facts.unit}",
        changes="other structures, or contrast medium",
    )


def measured_voxels(facts: SetFacts) -> Choice:
    """Voxels whose intensities set an image's scale."""
    value, why = "all", "the images hold little air, and all of them counts"
    if facts.zeros >= MANY_ZEROS:
        value, why = "nonzero", "air was set to 0, and must not set the scale"
    elif facts.dark >= MUCH_AIR:
        value, why = "otsu", "much of an image is air that is not 0, which a threshold leaves out"
    return Choice(
        key="measured_voxels",
        value=value,
        why=why,
        evidence=(
            f"{facts.zeros:.0%} of the voxels are 0, {facts.dark:.0%} are dark (median of the "
            "cases)"
        ),
        changes=f"{MANY_ZEROS:.0%} of zeros, or {MUCH_AIR:.0%} of dark voxels",
    )


def content(facts: SetFacts) -> Choice:
    """Whether pictures are read in colour."""
    value: Any = "rgb" if facts.colour == "rgb" else "grey"
    return Choice(
        key="content",
        value=value,
        why="some pictures have colours"
        if value == "rgb"
        else "no colours: red, green and blue are equal",
        evidence=f"read as {value} from {facts.cases} pictures",
        changes="pictures of the other kind in more than one of twenty",
    )
