"""Provenance of a training: bundle, data set and the fingerprint of its images, for the weights."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from medseg.bundles.channels import are_colours
from medseg.bundles.metadata import Metadata, load_metadata
from medseg.data.datasets.fingerprint import Fingerprint, span
from medseg.data.manifest import Manifest
from medseg.errors import DataError
from medseg.networks.provenance import Provenance, Span, TrainingImages

__all__ = ["training_images", "training_provenance"]


def training_provenance(
    bundle_root: str | Path, manifest: Manifest, images: Sequence[Fingerprint]
) -> Provenance:
    """Where the weights of a training come from.

    Args:
        bundle_root: The bundle's folder, with its name and version in `configs/metadata.json`.
        manifest: The data set.
        images: Of the images that are trained on, as `medseg.data.require_usable` returns them.

    Returns:
        The provenance, without a digest of tensors, which are not there yet.

    Raises:
        DataError: If the data set has other channels than the bundle, or in another order.
    """
    metadata = load_metadata(Path(bundle_root) / "configs" / "metadata.json")
    _require_channels(metadata, manifest)
    return Provenance(
        bundle=metadata.name,
        version=metadata.version,
        data=manifest.name,
        trained_on=manifest.made_of,
        tensors_sha256="",
        images=_of_channels(manifest, images),
    )


def _require_channels(metadata: Metadata, manifest: Manifest) -> None:
    image = metadata.network_data_format.inputs["image"]
    named = [image.channel_def[str(number)] for number in range(image.num_channels)]
    found = [channel.name for channel in manifest.channels]
    of_files = any(len(case.images) > 1 for case in manifest.cases)
    # A data set of pictures may name its colours or not.
    several = of_files or (len(named) > 1 and not are_colours(tuple(named)))
    if several and found != named:
        raise DataError(
            f"{manifest.name}: its channels are {', '.join(found)}, those of {metadata.name} "
            f"{', '.join(named)}; use a manifest with these channels, in this order"
        )


def _of_channels(manifest: Manifest, images: Sequence[Fingerprint]) -> TrainingImages | None:
    modalities = [channel.modality or manifest.modality for channel in manifest.channels]
    first = training_images(modalities[0], images)
    if first is None or not images[0].others:
        return first
    columns = zip(*(image.others for image in images), strict=True)
    others = (
        training_images(modality, column)
        for modality, column in zip(modalities[1:], columns, strict=True)
    )
    return replace(first, others=tuple(one for one in others if one is not None))


def training_images(modality: str, images: Sequence[Fingerprint]) -> TrainingImages | None:
    """The fingerprint of a set of images; None of none, or if they have no millimetres in common.

    Args:
        modality: Of the manifest, or of the channel.
        images: Of each image; of several channels, the first.
    """
    if len({len(image.extent_mm) for image in images}) != 1:
        return None
    spacings = [image.spacing_mm for image in images if image.spacing_mm is not None]
    return TrainingImages(
        modality=modality,
        count=len(images),
        spacing_mm=_spans(spacings) if spacings else None,
        extent_mm=_spans([image.extent_mm for image in images]),
        percentiles=_by_percentile([image.percentiles for image in images]),
        foreground=_by_percentile([image.foreground for image in images]),
    )


def _by_percentile(rows: Sequence[Mapping[str, float]]) -> dict[str, Span]:
    there = [row for row in rows if row]
    keys = there[0] if there else ()
    return {key: _rounded(span(row[key] for row in there)) for key in keys}


def _spans(rows: Sequence[Sequence[float]]) -> tuple[Span, ...]:
    return tuple(_rounded(span(column)) for column in zip(*rows, strict=True))


def _rounded(span: Span) -> Span:
    """Six digits: a header is read by people, too."""
    return float(f"{span[0]:.6g}"), float(f"{span[1]:.6g}")
