"""Request: what a prediction is asked for, and what of it changes the outputs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg.bundles.metadata import load_metadata
from medseg.data.dicom.allowances import Gaps, Tilt
from medseg.data.digest import file_sha256
from medseg.data.source import Source

__all__ = ["Bugs", "Request", "Work", "modality_of", "options_of"]

Work = Literal["predict", "forecast"]
Bugs = Literal["told", "raised"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options, each as its word.

    `process` is `own` where the process does nothing else: then MONAI is imported for a prediction
    alone, see `medseg.bundles.monai_import`.
    """

    bundle: Path
    inputs: tuple[Source, ...]
    output: Path
    weights: Path | None
    pairs: tuple[str, ...]
    existing: Literal["refuse", "replace"]
    work: Work
    bugs: Bugs
    series_uid: str | None
    tilt: Tilt
    gaps: Gaps
    engine: str | None
    precision: str | None
    formats: tuple[str, ...]
    maps: tuple[str, ...]
    mirror: tuple[int, ...]
    shard: tuple[int, int]
    process: Literal["own", "shared"]


def modality_of(bundle: Path) -> str | None:
    """What DICOM series must be, where the bundle says so by DICOM's two letters."""
    wanted = load_metadata(bundle / "configs" / "metadata.json").network_data_format
    modality = wanted.inputs["image"].modality.upper()
    # MONAI's schema writes MR and MRI alike.
    modality = {"MRI": "MR", "PET": "PT"}.get(modality, modality)
    return modality if modality in ("CT", "MR", "PT", "US") else None


def options_of(request: Request) -> dict[str, Any]:
    """What changes the outputs; values that are paths by their base names."""
    pairs = (pair.partition("=") for pair in request.pairs)
    return {
        "set": [f"{key}={_without_folder(value)}" for key, _, value in pairs],
        "engine": request.engine,
        "precision": request.precision,
        "tilt": request.tilt,
        "gaps": request.gaps,
        "format": sorted(request.formats),
        "maps": list(request.maps),
        "mirror": list(request.mirror),
    }


def _without_folder(value: str) -> str:
    """What may be a path by its last part, and by a digest of the file or of the text."""
    if "/" not in value:
        return value
    try:
        digest = file_sha256(Path(value))
    except OSError:  # no file, or no path at all, as `$1/2`
        digest = hashlib.sha256(value.encode()).hexdigest()
    return f"{Path(value).name} {digest[:12]}"
