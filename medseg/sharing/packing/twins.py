"""JSON twins of YAML configs: `monai.bundle.load` reads no YAML."""

import json
from collections.abc import Container, Mapping
from pathlib import PurePosixPath
from typing import Any

from medseg.errors import DataError

__all__ = ["is_twin", "twins"]


def twins(configs: Mapping[str, Any]) -> dict[str, bytes]:
    """The twins, as indented JSON with the keys in the YAML's order.

    Args:
        configs: Contents of the YAML configs by path.

    Raises:
        DataError: If one holds what JSON cannot: a date, or a number that is none.
    """
    return {_twin_of(path): _json(path, content) for path, content in configs.items()}


def is_twin(path: str, files: Container[str]) -> bool:
    """Whether a file is the JSON twin of a config among `files`."""
    return path.endswith(".json") and str(PurePosixPath(path).with_suffix(".yaml")) in files


def _twin_of(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(".json"))


def _json(path: str, content: Any) -> bytes:
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {error}; write the value as a text, in quotes") from error
    return f"{text}\n".encode()
