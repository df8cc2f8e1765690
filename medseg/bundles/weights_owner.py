"""Weights of another bundle: used with a warning if they are for the same, else refused.

Networks of two bundles may have the same shapes. Then the weights of one would label the images of
the other without an error.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from medseg.bundles.metadata import Metadata
from medseg.errors import DataError
from medseg.networks.provenance import Provenance, read_provenance
from medseg.networks.weights import trained_setting

__all__ = ["own_provenance"]

logger = logging.getLogger(__name__)

# MONAI's schema allows two words for these.
_SAME = {"MRI": "MR", "PET": "PT"}


def own_provenance(metadata: Metadata, path: str | Path) -> Provenance:
    """Where a bundle's weights come from; those of another bundle must be for the same.

    Weights that do not say which bundle trained them, or that this one did, are not questioned.

    Args:
        metadata: Of the bundle that is to use them.
        path: The weights.

    Raises:
        DataError: If they are broken, or another bundle's for other classes or another modality.
    """
    provenance = read_provenance(path)
    if provenance.bundle in (None, metadata.name):
        return provenance
    formats = metadata.network_data_format
    ours = list(formats.outputs["pred"].channel_def.values())
    theirs = trained_setting(path, "class_names", ours)
    modality = formats.inputs["image"].modality
    if theirs != ours or not _same_modality(provenance, modality):
        raise DataError(
            f"{path}: weights of {provenance.bundle} ({_words(theirs, _modality(provenance))}); "
            f"{metadata.name} is for {_words(ours, modality)}; use weights of this bundle"
        )
    logger.warning(
        "%s: trained by the bundle %s, not by %s; used, since classes and modality are the same",
        *(path, provenance.bundle, metadata.name),
    )
    return provenance


def _same_modality(provenance: Provenance, modality: str) -> bool:
    theirs = _modality(provenance)
    return theirs is None or _known(theirs) == _known(modality)


def _modality(provenance: Provenance) -> str | None:
    return None if provenance.images is None else provenance.images.modality


def _known(modality: str) -> str:
    return _SAME.get(modality.upper(), modality.upper())


def _words(classes: Sequence[str], modality: str | None) -> str:
    names = ", ".join(classes[1:4]) + (", ..." if len(classes) > 4 else "")
    return names if modality is None else f"{names} in {modality}"
