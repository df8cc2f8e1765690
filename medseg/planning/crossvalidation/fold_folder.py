"""Folder of a fold: what is trained there, and what came of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, cast

import medseg
from medseg._files import write_atomically
from medseg.errors import DataError, UsageError

__all__ = [
    "LOG",
    "PREDICTIONS",
    "RESULT",
    "SPEC",
    "TEST",
    "TRAINED",
    "WEIGHTS",
    "FoldSpec",
    "require_same",
    "write_json",
]

SPEC, RESULT, LOG, TRAINED = "fold.json", "result.json", "log.txt", "trained.json"
WEIGHTS = "model.safetensors"
# Labels of the cases held out, and of the test cases.
PREDICTIONS, TEST = "predictions", "test"


@dataclass(frozen=True, kw_only=True)
class FoldSpec:
    """What is done in a folder.

    Attributes:
        fold: Its number; None for all folds together, which predict the test cases.
        bundle: Folder of the bundle.
        dataset_dir: Folder of the data set.
        train: Overrides of the training, by full path with `::`.
        evaluate: Overrides of the prediction, likewise.
        weights: File of the weights that predict.
        test: Whether there are test cases to predict.
        digest: Of all that determines the result.
        config: That, as plain values.
        medseg: Version that does it.
    """

    fold: int | None
    bundle: str
    dataset_dir: str
    train: Mapping[str, Any]
    evaluate: Mapping[str, Any]
    weights: str
    test: bool
    digest: str
    config: Mapping[str, Any]
    medseg: str = medseg.__version__

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Of `fold.json` in a folder.

        Raises:
            DataError: If it cannot be read.
        """
        try:
            return cls(**json.loads((folder / SPEC).read_text(encoding="utf-8")))
        except (OSError, TypeError, ValueError) as error:
            raise DataError(
                f"{folder / SPEC}: cannot be read ({error}); remove {folder}, and the fold is "
                "trained again"
            ) from error

    def write(self, folder: Path) -> None:
        """Into `fold.json` in a folder, which is made."""
        write_json(folder / SPEC, asdict(self))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of plain values atomically."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def require_same(folder: Path, wanted: FoldSpec) -> None:
    """Refuse a folder in which something else was trained; one without `fold.json` is new.

    Raises:
        UsageError: If its config, data or version of medseg is another; it names the first key.
    """
    if not (folder / SPEC).exists():
        return
    there = FoldSpec.read(folder)
    remedy = f"give another -o, or remove {folder} to train it again"
    if there.medseg != wanted.medseg:
        raise UsageError(
            f"{folder}: was begun by medseg {there.medseg}, and this is {wanted.medseg}; folds of "
            f"two versions are not compared: {remedy}"
        )
    if there.digest != wanted.digest:
        raise UsageError(f"{folder}: {_difference(there.config, wanted.config)}; {remedy}")


def _difference(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """The first key in which two configs differ."""
    if there.get("data") != wanted.get("data"):
        return "was begun with other data: the manifest, an image or a label has changed since"
    old, new = dict(_leaves(there)), dict(_leaves(wanted))
    for path in sorted(old.keys() | new.keys(), key=lambda path: (path.count("#"), path)):
        if old.get(path) != new.get(path):
            key = path.partition("#")[2]
            return (
                f"was begun with {key}={_shown(old.get(path))}, and this is "
                f"{key}={_shown(new.get(path))}"
            )
    return "was begun with another configuration"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, child in cast("dict[str, Any]", value).items():
            yield from _leaves(child, f"{path}#{key}" if path else key)
    else:
        yield path, value


def _shown(value: Any) -> str:
    return json.dumps(value)[:60] if value is not None else "null"
