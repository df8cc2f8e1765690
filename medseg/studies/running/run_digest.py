"""Digest of a run: of all that determines what it gives, and of nothing else."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medseg.data.digest import path_sha256
from medseg.data.manifest import Manifest

__all__ = ["data_digest", "run_digest"]

# Of what a run does and keeps; raised when that changes.
_FORM = 1
_LENGTH = 20


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
    content = manifest.model_dump(mode="json")
    for channel in content["channels"]:
        # Keys that came later; without them, a data set has the digest it had before.
        for key in ("modality", "files"):
            if channel[key] is None:
                del channel[key]
    return _of({"manifest": content, "files": files})


def run_digest(
    train: Mapping[str, Any], evaluate: Mapping[str, Any], rest: Mapping[str, Any]
) -> str:
    """Digest of a run.

    Args:
        train: Config of the training, overrides included, without the paths of its files.
        evaluate: Config of the evaluation, likewise.
        rest: Data, split, threads and what else changes the result.
    """
    return _of({"form": _FORM, "train": train, "evaluate": evaluate, **rest})[:_LENGTH]


def _of_file(path: Path, known: dict[Path, str]) -> str:
    if path not in known:
        # What is missing is the training's to tell, in its own words.
        known[path] = path_sha256(path) if path.exists() else ""
    return known[path]


def _of(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
