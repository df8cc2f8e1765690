"""Headers of image files that may name another file, anywhere, as the one that holds the voxels."""

import re
from collections.abc import Iterator

from medseg.bundles.judgement.files.finding import Finding

__all__ = ["HEADERS", "header_findings"]

HEADERS = ("mha", "nrrd")
_OWN_VOXELS = re.compile(rb"\nElementDataFile ?= ?LOCAL\r?\n")
_OTHER_FILE = re.compile(rb"data ?file", re.IGNORECASE)
_NRRD_END = re.compile(rb"\n\r?\n")


def header_findings(suffix: str, head: bytes) -> Iterator[Finding]:
    """What keeps an image from holding its own voxels.

    Args:
        suffix: One of `HEADERS`.
        head: First bytes of the file, in which an honest header ends.
    """
    named = len(_OTHER_FILE.findall(head))
    if suffix == "mha":
        # Any second mention may be the one that counts.
        honest = named == 1 and _OWN_VOXELS.search(head) is not None
    else:
        honest = named == 0 and _NRRD_END.search(head) is not None
    if not honest:
        reason = "does not say at its beginning that its voxels are in it, and not in another file"
        yield Finding("needs trust", reason)
