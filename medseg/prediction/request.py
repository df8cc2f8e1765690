"""Request: the options of a prediction, and those that change its outputs."""

import hashlib
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from medseg.bundles.channels import are_colours, bundle_channels
from medseg.bundles.foreign.metadata import described_bundle
from medseg.data.datasets.expected import Expected
from medseg.data.datasets.unlike_training import Trained
from medseg.data.dicom.allowances import Gaps, Tilt
from medseg.data.digest import file_sha256
from medseg.data.source import Source
from medseg.prediction.channel_cases import ManifestCases
from medseg.prediction.search import SeriesChoice

__all__ = ["Remarkable", "Request", "Work", "expected_of", "modality_of", "options_of"]

Work = Literal["predict", "forecast"]
# What is done with a case that there is a warning about.
Remarkable = Literal["told", "refused"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """Options of a prediction, choices as words.

    Attributes:
        bundle: Folder of the bundle.
        inputs: Files, folders and DICOM series.
        output: Folder for the results.
        weights: Weights file; None takes the bundle's.
        overrides: `KEY=VALUE` texts for the bundle's config.
        existing: Whether files that this folder's ledger does not account for are refused or
            replaced.
        work: Predict, or only forecast windows and memory.
        remarkable: Whether cases that there is a warning about are predicted and told of, or
            refused.
        series_uid: DICOM series to take, if the only input holds several.
        turn: (i, n): begin at the i-th of n places in the list of cases, as one of n processes that
            share them.
        which: Take one series of each DICOM input, or every one that fits.
        name_by: Words of `--name-by`, in their order.
        channels: `NAME=FILE` texts of `--channel`, instead of inputs.
        listed: Cases of a manifest, instead of inputs.
        key_file: File outside of the output folder that tells which output is which patient's;
            None writes none.
        tilt: Whether series with gantry tilt are refused or resampled.
        gaps: Whether series with missing slices are refused or interpolated.
        engine: Inference engine; None takes the bundle's choice.
        precision: Likewise, of the numbers.
        formats: Words of `--format`.
        maps: Maps to write beside the label.
        mirror: Axes to mirror along.
        shard: (i, n): the i-th of n disjoint shares of the cases.
        process: `own` if the process does nothing but predict: then MONAI is imported without its
            optional packages, see `medseg.bundles.monai_import`.
    """

    bundle: Path
    inputs: tuple[Source, ...]
    output: Path
    weights: Path | None
    overrides: tuple[str, ...]
    existing: Literal["refuse", "replace"]
    work: Work
    remarkable: Remarkable
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
    turn: tuple[int, int] = (1, 1)
    which: SeriesChoice = "one"
    name_by: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    listed: ManifestCases | None = None
    key_file: Path | None = None


def modality_of(bundle: Path) -> str | None:
    """Modality that DICOM series must have; None if the bundle states none that DICOM knows."""
    data_format = described_bundle(bundle).network_data_format
    modality = data_format.inputs["image"].modality.upper()
    # MONAI's schema allows MR and MRI.
    modality = {"MRI": "MR", "PET": "PT"}.get(modality, modality)
    return modality if modality in ("CT", "MR", "PT", "US") else None


def expected_of(
    bundle: Path, window: tuple[float, float] | None, trained: Trained | None = None
) -> Expected:
    """What a bundle says of its images.

    Args:
        bundle: The bundle's folder.
        window: The predictor's, as its weights or an override have it.
        trained: Fingerprint of the images that the weights were trained on.
    """
    image = described_bundle(bundle).network_data_format.inputs["image"]
    optical = image.modality.lower() in ("histology", "microscopy")
    modality = image.modality.lower() if optical else modality_of(bundle)
    # A window from 0 on is of weights that were trained on images not in HU, such as 8-bit CT.
    in_hu = image.format.lower() == "hounsfield" and (window is None or window[0] < 0)
    unit = "HU" if in_hu else None
    first = Expected(modality=modality, unit=unit, window=window, trained=trained)
    channels = bundle_channels(bundle)
    if len(channels) == 1 or are_colours(tuple(channel.name for channel in channels)):
        return first
    told = [None, *(() if trained is None else trained.others)]
    others = tuple(
        Expected(modality=one.modality, unit=one.unit, name=one.name, trained=of)
        for one, of in zip_longest(channels, told[: len(channels)])
    )
    name, modality = channels[0].name, channels[0].modality
    return replace(first, name=name, modality=modality, unit=channels[0].unit, others=others[1:])


def options_of(request: Request) -> dict[str, Any]:
    """Options that change the outputs; paths by base name and digest."""
    pairs = (pair.partition("=") for pair in request.overrides)
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
    """Replace a value that may be a path by its base name and a digest of the file or text."""
    if "/" not in value:
        return value
    try:
        digest = file_sha256(Path(value))
    except OSError:  # not a file, or not a path, such as `$1/2`
        digest = hashlib.sha256(value.encode()).hexdigest()
    return f"{Path(value).name} {digest[:12]}"
