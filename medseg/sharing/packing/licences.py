"""Licences of a bundle to be packed: of its configs, and of the data behind its weights.

Weights are made from data, and whether they may be passed on is decided by the licence of the data.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from medseg.data.manifest import Manifest
from medseg.networks.provenance import Provenance

__all__ = ["DATA_LICENCE", "LICENCE", "licence_problems"]

LICENCE = "LICENSE"
DATA_LICENCE = "docs/data_license.txt"
_WEIGHTS = "models/model.safetensors"
# By their words; "BY-NC" and "BY-ND" are Creative Commons' non-commercial and no derivatives.
_FORBIDS = re.compile(
    r"\b(NC|ND)\b|non-?commercial|permission|confidential|internal|restricted|proprietary"
    r"|all rights reserved|not to be (shared|redistributed)|no (licen[cs]e|redistribution)"
    r"|\b(unknown|unclear|none|private|tbd)\b",
    re.IGNORECASE,
)


def licence_problems(
    files: Mapping[str, bytes], manifests: Sequence[Manifest], provenance: Provenance | None
) -> Iterator[str]:
    """Why a bundle may not be shared as it is, one line each.

    Args:
        files: Files to be packed, by path.
        manifests: Of the bundle.
        provenance: Of the weights; None if it has none.
    """
    if not files.get(LICENCE, b"").strip():
        yield f"{LICENCE}: missing or empty; add the licence of the configs, e.g. Apache-2.0"
    if provenance is None:
        return
    text = files.get(DATA_LICENCE, b"").decode(errors="replace")
    if not text.strip():
        yield (
            f"{DATA_LICENCE}: missing or empty; say which data the weights were trained on, and "
            "under which licence data and weights may be shared"
        )
    if provenance.trained_on == "phantoms":
        return
    data = next((found for found in manifests if found.name == provenance.data), None)
    if data is None:
        yield (
            f"{_WEIGHTS}: provenance#data: trained on {provenance.data or 'unknown data'}, whose "
            "manifest is not in configs/; add it, with its licence"
        )
    elif _FORBIDS.search(data.licence):
        yield (
            f"configs/{data.name}.json: licence: the weights were trained on data whose licence "
            f"does not let them be shared freely ({data.licence:.60}); pack weights of other data"
        )
    elif text.strip() and _plain(data.licence) not in _plain(text):
        yield f"{DATA_LICENCE}: lacks {data.licence:.60}, the licence of {data.name}; add it"


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()
