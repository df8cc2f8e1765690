"""Data: manifests, folds, phantoms, and checks of the user's images."""

from medseg.data.inputs import find_manifest, list_images, require_usable
from medseg.data.manifest import (
    Case,
    Channel,
    Label,
    Manifest,
    datalist,
    load_manifest,
    save_manifest,
)

__all__ = [
    "Case",
    "Channel",
    "Label",
    "Manifest",
    "datalist",
    "find_manifest",
    "list_images",
    "load_manifest",
    "require_usable",
    "save_manifest",
]
