"""Digest of a data set: its manifest, and the bytes of its images and labels."""

import hashlib
import json
from pathlib import Path

from medseg.data.digest import path_sha256
from medseg.data.manifest import Manifest

__all__ = ["data_digest"]


def data_digest(manifest: Manifest, dataset_dir: Path, known: dict[Path, str]) -> str:
    """Digest of a data set: its manifest, and the bytes of its images and labels.

    Args:
        manifest: The data set, with its split.
        dataset_dir: Its folder; where it lies does not matter.
        known: Digests of files that were read before; those that are read are added.
    """
    files = {
        path: _of_file(dataset_dir / path, known)
        for case in manifest.cases
        for path in (*case.images, case.label)
        if path is not None
    }
    described = manifest.model_dump(mode="json")
    # Keys that came later; without them, a data set has the digest it had before.
    if not described["rois"]:
        del described["rois"]
    for channel in described["channels"]:
        for key in ("modality", "files"):
            if channel[key] is None:
                del channel[key]
    content = {"manifest": described, "files": files}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _of_file(path: Path, known: dict[Path, str]) -> str:
    if path not in known:
        # What is missing is the training's to tell, in its own words.
        known[path] = path_sha256(path) if path.exists() else ""
    return known[path]
