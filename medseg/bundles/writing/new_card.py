"""Model card and licence of the data of a new bundle, with the gaps that its author has to fill."""

from medseg.bundles.writing.draft import modalities
from medseg.data.manifest import Manifest

__all__ = ["GAP", "data_licence", "new_card"]

GAP = "**to be written**"


def new_card(name: str, manifest: Manifest, axes: int, recipe: str) -> str:
    """Text of `docs/README.md`; `medseg bundle card` adds front matter and facts.

    Args:
        name: Of the bundle.
        manifest: Of its data set.
        axes: 2 or 3.
        recipe: Where its choices stand, a sentence in Markdown.
    """
    what, imaged = ", ".join(manifest.class_names[1:]), modalities(manifest)
    lines = [
        f"# {what} in {imaged}, {axes}-D U-Net",
        "",
        f"Labels {what} in {imaged}{_channels(manifest)}.",
        "",
        "**Intended use**: research and teaching. Not a medical device; not for diagnosis.",
        (
            f"**Authors**: {GAP}. **What it wants**: {GAP}: which images of which patients or "
            "specimens, and which not."
        ),
        "",
        "## Recipe",
        "",
        recipe,
        "",
        "## Commands",
        "",
        "```",
        f"medseg train {name}",
        f"medseg predict {name} {_inputs(manifest)} -o labels",
        (
            f"medseg evaluate labels --manifest {name}/configs/{manifest.name}.json "
            "--dataset-dir DIR -o scores"
        ),
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
        f"Configs: Apache-2.0 (`LICENSE`). Data: {manifest.licence} (`docs/data_license.txt`). "
        f"Source: {manifest.source}. To cite: {manifest.citation}.",
        "",
    ]
    return "\n".join(lines)


def _channels(manifest: Manifest) -> str:
    names = [channel.name for channel in manifest.channels]
    if len(names) < 2:
        return ""
    return f": channels {', '.join(names)}, a file each; labels have the grid of {names[0]}"


def _inputs(manifest: Manifest) -> str:
    names = [channel.name for channel in manifest.channels]
    return "IMAGE" if len(names) < 2 else " ".join(f"--channel {name}=FILE" for name in names)


def data_licence(manifest: Manifest) -> str:
    """Text of `docs/data_license.txt`."""
    return (
        "Data that the weights in models/ are trained on\n\n"
        f"{manifest.name}: {manifest.description}\n"
        f"  Source: {manifest.source}\n"
        f"  Licence: {manifest.licence}\n"
        f"  To cite: {manifest.citation}\n"
    )
