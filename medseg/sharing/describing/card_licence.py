"""Licence of a bundle in the words of Hugging Face's hub, for the front matter of its card."""

import re
from collections.abc import Sequence

from medseg.data.manifest import Manifest
from medseg.networks.provenance import Provenance

__all__ = ["hub_licence"]

# https://huggingface.co/docs/hub/repositories-licenses; others are named by license_name.
_KNOWN = frozenset({
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-3.0", "cc-by-4.0"),
    *("cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"),
})  # fmt: skip
_TEXTS = {"apache-2.0": "Apache License", "mit": "MIT License"}


def hub_licence(
    provenance: Provenance | None, manifests: Sequence[Manifest], licence: str
) -> dict[str, str]:
    """`license`, and `license_name` and `license_link` of one that the hub does not know.

    That of the weights, which is the licence of their data; of a bundle without weights, that of
    its configs.

    Args:
        provenance: Of the weights; None if there are none.
        manifests: Of the bundle.
        licence: Text of its LICENSE.
    """
    if provenance is None:
        found = next((name for name, words in _TEXTS.items() if words in licence[:500]), "")
        return _stated(found, "see LICENSE", "LICENSE")
    said = "CC0-1.0" if provenance.trained_on == "phantoms" else _of_data(provenance, manifests)
    return _stated(re.sub(r"[\s_]+", "-", said.strip()).lower(), said, "docs/data_license.txt")


def _stated(licence: str, said: str, link: str) -> dict[str, str]:
    if licence in _KNOWN:
        return {"license": licence}
    return {"license": "other", "license_name": said or "unknown", "license_link": link}


def _of_data(provenance: Provenance, manifests: Sequence[Manifest]) -> str:
    found = (manifest.licence for manifest in manifests if manifest.name == provenance.data)
    return next(found, "unknown")
