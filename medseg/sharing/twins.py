"""JSON twins of YAML configs: `monai.bundle.load` reads no YAML."""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from medseg.errors import DataError

__all__ = ["twin_of", "twins"]


def twin_of(path: str) -> str:
    """Path of the JSON twin of a YAML config."""
    return str(PurePosixPath(path).with_suffix(".json"))


def twins(configs: Mapping[str, Any]) -> dict[str, bytes]:
    """The twins, as indented JSON with the keys in the YAML's order.

    Args:
        configs: Contents of the YAML configs by path.

    Raises:
        DataError: If one holds what JSON cannot: a date, or a number that is none.
    """
    return {twin_of(path): _json(path, content) for path, content in configs.items()}


def _json(path: str, content: Any) -> bytes:
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {error}; write the value as a text, in quotes") from error
    return f"{text}\n".encode()
