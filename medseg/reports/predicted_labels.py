"""Predicted labels of a folder: what their values mean, by the `summary.json` beside them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from medseg.data.label_kind import LabelKind
from medseg.data.output_names import SUMMARY

__all__ = ["PredictedLabels", "predicted_labels"]

_KINDS: dict[object, LabelKind] = {kind: kind for kind in get_args(LabelKind)}


@dataclass(frozen=True)
class PredictedLabels:
    """What the values of predicted labels mean.

    Attributes:
        kind: Classes, or numbers of objects of one class.
        class_names: One for each class, the background's first.
    """

    kind: LabelKind
    class_names: tuple[str, ...]


def predicted_labels(folder: Path) -> PredictedLabels | None:
    """What `medseg predict` says of the labels in a folder; None if nothing says it."""
    try:
        content: object = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # not there, or of another program
    stated = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    names = stated.get("class_names")
    kind = _KINDS.get(str(stated.get("label_kind")))
    if kind is None or not isinstance(names, list):
        return None
    texts = [name for name in cast("list[object]", names) if isinstance(name, str)]
    return PredictedLabels(kind, tuple(texts)) if len(texts) >= 2 else None
