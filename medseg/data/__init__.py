"""Data: manifests, folds, phantoms, and checks of the user's images."""

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
    "load_manifest",
    "save_manifest",
]
