"""Model card and licence of the data of a new bundle, with the gaps that its author has to fill."""

from medseg.bundles.writing.draft import Draft

__all__ = ["GAP", "data_licence", "new_card"]

GAP = "**to be written**"


def new_card(draft: Draft) -> str:
    """Text of `docs/README.md`; `medseg bundle card` adds front matter and facts."""
    what, name = ", ".join(draft.class_names[1:]), draft.name
    lines = [
        f"# {what} in {draft.manifest.modality}, {draft.axes}-D U-Net",
        "",
        f"Labels {what} in {draft.manifest.modality}.",
        "",
        "**Intended use**: research and teaching. Not a medical device; not for diagnosis.",
        f"**Authors**: {GAP}. **What it wants**: {GAP}: which images of which patients or specimens, and which not.",
        "",
        *_recipe(draft),
        "## Commands",
        "",
        "```",
        f"medseg train {name}",
        f"medseg predict {name} IMAGE -o labels",
        f"medseg evaluate labels --manifest {name}/configs/{draft.manifest.name}.json --dataset-dir DIR -o scores",
        "```",
        "",
        "## Scores",
        "",
        f"{GAP}: on which cases, that the training had not seen, with intervals.",
        "",
        "**What failed, and what these numbers are not**",
        "",
        f"- {GAP}: the worst cases and why.",
        "",
        "## Data and licence",
        "",
        f"Configs: Apache-2.0 (`LICENSE`). Data: {draft.manifest.licence} (`docs/data_license.txt`). "
        f"Source: {draft.manifest.source}. To cite: {draft.manifest.citation}.",
        "",
    ]
    return "\n".join(lines)


def _recipe(draft: Draft) -> list[str]:
    if "docs/plan.md" not in draft.pages:
        return []
    return [
        "## Recipe",
        "",
        "Each number with its reason, and what would change it: [plan.md](plan.md).",
        "",
    ]


def data_licence(draft: Draft) -> str:
    """Text of `docs/data_license.txt`."""
    manifest = draft.manifest
    return (
        "Data that the weights in models/ are trained on\n\n"
        f"{manifest.name}: {manifest.description}\n"
        f"  Source: {manifest.source}\n"
        f"  Licence: {manifest.licence}\n"
        f"  To cite: {manifest.citation}\n"
    )
