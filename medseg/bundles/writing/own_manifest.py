"""Manifest of a bundle begun from another one: the user's, or the other's without its cases."""

from pathlib import Path

from medseg.bundles.writing.from_bundle import manifest_of
from medseg.data.manifest import Label, Manifest, load_manifest
from medseg.errors import UsageError

__all__ = ["own_manifest"]


def own_manifest(
    base: Path, name: str, label_names: tuple[str, ...], manifest: Path | None
) -> Manifest:
    """The manifest of the new bundle.

    Args:
        base: Folder of the other bundle.
        name: Of the new one, and of a manifest without cases.
        label_names: Background first; empty takes those of the manifest.
        manifest: The user's, if there is one.

    Raises:
        UsageError: If neither says what is segmented, or both do and differ.
        ManifestError: If the manifest breaks a rule.
    """
    if manifest is None:
        if len(label_names) < 2:
            raise UsageError("give --manifest, or --label-names background,tumour with all classes")
        labels = tuple(Label(value=value, name=one) for value, one in enumerate(label_names))
        return manifest_of(base).model_copy(
            update={
                "name": name,
                "labels": labels,
                "training": (),
                "test": (),
                "description": "not stated",
                "source": "not stated",
                "licence": "not stated",
                "citation": "not stated",
                "body_part": None,
            }
        )
    found = load_manifest(manifest)
    if label_names and list(label_names) != found.class_names:
        raise UsageError(
            f"--label-names {','.join(label_names)}: the manifest has "
            f"{','.join(found.class_names)}; leave the option out"
        )
    return found
