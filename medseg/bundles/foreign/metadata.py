"""Metadata of a bundle of any maker, with what older schemas do not ask for filled in.

The model zoo's metadata are mostly of a schema of 2022, and fail the present one. Those of a bundle
that names medseg among its packages are held to medseg's rules.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from medseg._text import json_bytes
from medseg.bundles.metadata import Metadata, load_metadata
from medseg.errors import DataError

__all__ = ["described_bundle"]

_SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_TEXTS = ("task", "description", "authors", "copyright", "intended_use")


def described_bundle(bundle: str | Path) -> Metadata:
    """Metadata of a bundle's folder.

    Raises:
        DataError: If they are missing or damaged, or are medseg's and break a rule.
    """
    path = Path(bundle) / "configs" / "metadata.json"
    try:
        raw = json.loads(json_bytes(path.read_bytes()))
    except (OSError, ValueError):
        raw = None
    if not isinstance(raw, dict):
        return load_metadata(path)
    found = cast("dict[str, Any]", raw)
    named = found.get("required_packages_version")
    if isinstance(named, Mapping) and "medseg" in named:
        return load_metadata(path)
    try:
        return Metadata.model_validate(_filled(found, path.resolve().parents[1].name))
    except (AttributeError, LookupError, TypeError, ValueError, StopIteration) as error:
        raise DataError(f"{path}: does not describe the network's image and label") from error


def _filled(raw: Mapping[str, Any], folder: str) -> dict[str, Any]:
    version = _version(raw.get("version"))
    sides = cast("dict[str, dict[str, Any]]", raw["network_data_format"])
    texts = {key: str(raw.get(key) or "not stated") for key in _TEXTS}
    return {
        **texts,
        "schema": _SCHEMA,
        "name": re.sub(r"[^a-z0-9_]", "_", folder.lower()) or "bundle",
        "version": version,
        "changelog": {version: "not stated"},
        "monai_version": _version(raw.get("monai_version")),
        "pytorch_version": _version(raw.get("pytorch_version")),
        "numpy_version": _version(raw.get("numpy_version")),
        "required_packages_version": {},
        "references": [],
        "network_data_format": {
            "inputs": {"image": _tensor(next(iter(sides["inputs"].values())), "channel")},
            "outputs": {"pred": _tensor(next(iter(sides["outputs"].values())), "class")},
        },
    }


def _version(value: Any) -> str:
    found = _VERSION.match(value) if isinstance(value, str) else None
    return found[0] if found else "0.0.0"


def _tensor(raw: Mapping[str, Any], noun: str) -> dict[str, Any]:
    count = raw["num_channels"]
    names: Any = raw.get("channel_def")
    names = cast("dict[str, Any]", names) if isinstance(names, dict) else {}
    return {
        "type": "image",
        "format": str(raw.get("format") or "magnitude"),
        "modality": str(raw.get("modality") or "n/a"),
        "num_channels": count,
        "spatial_shape": ["*"] * len(raw["spatial_shape"]),
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": bool(raw.get("is_patch_data")),
        "channel_def": {str(n): _name(names.get(str(n)), noun, n) for n in range(count)},
    }


def _name(stated: Any, noun: str, number: int) -> str:
    if stated:
        return str(stated)
    return "background" if noun == "class" and number == 0 else f"{noun} {number}"
