"""Labels of a bundle's classes, as the manifest in its configs describes them."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from medseg.data.manifest import Label, Manifest, load_manifest
from medseg.errors import ManifestError

__all__ = ["described_labels", "manifest_of"]


def described_labels(manifest: Manifest | None, class_names: Sequence[str]) -> tuple[Label, ...]:
    """The classes, as the manifest describes them."""
    described = {} if manifest is None else {label.name: label for label in manifest.labels}
    return tuple(
        described.get(name, Label(value=value, name=name)).model_copy(update={"value": value})
        for value, name in enumerate(class_names)
    )


def manifest_of(bundle: Path, class_names: Sequence[str]) -> Manifest | None:
    """The last manifest in the bundle that has all of these classes."""
    found: Manifest | None = None
    for path in sorted((bundle / "configs").glob("*.json")):
        if path.name != "metadata.json":
            with suppress(ManifestError):
                manifest = load_manifest(path)
                found = manifest if set(class_names) <= set(manifest.class_names) else found
    return found
