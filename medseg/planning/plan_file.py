"""Plan file (plan.json) and page (plan.md): every number of a bundle with its reason."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import medseg
from medseg.bundles.writing.draft import modalities
from medseg.bundles.writing.flow import flow
from medseg.data.manifest import Manifest
from medseg.planning.assemble import Planned
from medseg.planning.fingerprint.set_facts import ChannelSummary, SetFacts, at
from medseg.planning.forecast.measure import Forecast

__all__ = [
    "LOOK_AT",
    "PLAN_JSON",
    "PLAN_PAGE",
    "changed_values",
    "expectation",
    "plan_json",
    "plan_page",
    "read_plan",
]

PLAN_JSON = "docs/plan.json"
PLAN_PAGE = "docs/plan.md"
# Names cases, so it lies where nothing is packed from.
LOOK_AT = "eval/look_at.txt"
# What differs from one measurement to the next, and so is no change of a plan.
_MEASURED = ("epochs", "iterations_per_epoch", "val_interval")


def plan_json(
    planned: Planned, facts: SetFacts, forecast: Forecast | None, more: Mapping[str, Any]
) -> str:
    """The text of `plan.json`: no name of a case and no path is in it.

    Args:
        planned: The plan.
        facts: Of the data set.
        forecast: Of the training.
        more: What was asked: pins and budget; and digests of what was written.
    """
    summary = dataclasses.asdict(facts)
    for one in summary["classes"]:
        del one["centres"]
    content = {
        "medseg": medseg.__version__,
        "name": planned.draft.name,
        "view": planned.view,
        "recipe": planned.draft.recipe,
        "recipe_why": planned.recipe_why,
        "manifest": planned.draft.manifest.name,
        **more,
        "choices": [dataclasses.asdict(choice) for choice in planned.choices],
        "facts": summary,
        "forecast": None if forecast is None else dataclasses.asdict(forecast),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def read_plan(bundle: Path) -> dict[str, Any]:
    """The plan of a bundle; empty if it has none that can be read."""
    try:
        content: object = json.loads((bundle / PLAN_JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def changed_values(before: Mapping[str, Any], planned: Planned) -> list[str]:
    """What another plan says otherwise, a line each; measured lengths do not count."""
    old = {one["key"]: one["value"] for one in before.get("choices", [])}
    lines = [
        f"{choice.key}: {flow(old.get(choice.key))} becomes {flow(choice.value)}"
        for choice in planned.choices
        if choice.key not in _MEASURED and old.get(choice.key) != _as_json(choice.value)
    ]
    if before.get("recipe") != planned.draft.recipe:
        lines.insert(0, f"recipe: {before.get('recipe')} becomes {planned.draft.recipe}")
    return lines


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def plan_page(planned: Planned, facts: SetFacts, forecast: Forecast | None) -> str:
    """The text of `plan.md`, which is packed with the bundle: no name of a case is in it."""
    draft = planned.draft
    lines = [
        f"# Plan of {draft.name}",
        "",
        *_summary(planned, facts, forecast),
        "",
        "| key | value | why | evidence | what would change it |",
        "|---|---|---|---|---|",
        *(
            (
                f"| `{one.key}` | {_cell(flow(one.value))} | {_cell(one.why)} | "
                f"{_cell(one.evidence)} | {_cell(one.changes)} |"
            )
            for one in planned.choices
        ),
        "",
        "Any of them is pinned by `medseg plan --update --set KEY=VALUE`, and the rest "
        "planned around it; or changed for one "
        "training, `medseg train BUNDLE KEY=VALUE`.",
        "",
        "## The data set",
        "",
        *_facts(facts),
        "",
    ]
    return "\n".join(lines)


def _summary(planned: Planned, facts: SetFacts, forecast: Forecast | None) -> list[str]:
    seen = {"picture": "pictures", "volume": "volumes in 3-D", "slices": "volumes slice by slice"}
    lines = [
        f"{facts.cases} cases of {facts.patients} patients, {modalities(planned.draft.manifest)}: "
        f"{seen[planned.view]}, "
        f"recipe `{planned.draft.recipe}` ({planned.recipe_why}).",
        "",
        f"Forecast: {'not measured' if forecast is None else forecast.told()}.",
        "",
        expectation(facts.patients, planned.draft.manifest),
    ]
    return lines


def expectation(patients: int, manifest: Manifest) -> str:
    """What so many patients, in the folds of a manifest, let one say of scores."""
    if patients == 1:
        return (
            "One patient: the network is trained and scored on the same images. It will "
            "learn them by heart, which "
            "shows that images, labels and network fit together, and nothing about another patient."
        )
    if patients < 20:
        held_out = patients // len({case.fold for case in manifest.training})
        return (
            f"{patients} patients: a fold holds out {held_out}, whose mean DSC says little. "
            "With a standard deviation "
            f"of 0.1 between patients, the 95 % interval over all {patients} is about "
            f"{2 * 0.1 / patients**0.5 * 1.15:.2f} wide on either side: cross-validate, and "
            "give the interval."
        )
    return (
        f"{patients} patients: enough for an interval of some {2 * 0.1 / patients**0.5:.2f} DSC "
        "on either side, over all folds."
    )


def _facts(facts: SetFacts) -> list[str]:
    unit = "mm" if facts.kind == "volume" else "pixels"
    lines = [
        "| | |",
        "|---|---|",
        f"| shape, median | {'x'.join(map(str, facts.shape))} |",
        f"| spacing, median | {'x'.join(f'{mm:.3g}' for mm in facts.spacing)} {unit} |",
        (
            "| box around all labels, 90th percentile | "
            f"{'x'.join(f'{mm:.3g}' for mm in facts.box)} {unit} |"
        ),
        *(row for channel in facts.each or (facts,) for row in _intensities(channel)),
    ]
    cubed = "ml" if facts.kind == "volume" else "pixels"
    for one in facts.classes:
        volume = one.volume / 1000 if facts.kind == "volume" else one.volume
        lines.append(
            f"| {_cell(one.name)} | in {one.cases} cases, {volume:.3g} {cubed}, "
            f"{one.share:.2%} of an image, "
            f"{one.parts:.0f} part(s), thickness {one.thickness:.3g} {unit} (medians) |"
        )
    return lines


def _intensities(of: SetFacts | ChannelSummary) -> list[str]:
    name = f"{_cell(of.name)}: " if isinstance(of, ChannelSummary) else ""
    inside, outside = (_quantiles(values, of.unit) for values in (of.inside, of.outside))
    return [
        f"| {name}labelled intensities, 0.5th, 50th, 99.5th percentile | {inside} |",
        f"| {name}other intensities, likewise | {outside} |",
    ]


def _quantiles(values: Sequence[float], unit: str) -> str:
    if not values:
        return "none"
    return f"{at(values, 0.5):.4g}, {at(values, 50.0):.4g}, {at(values, 99.5):.4g} {unit}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
