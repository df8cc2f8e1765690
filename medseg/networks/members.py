"""Members of an ensemble: the weights of all folds of a cross-validation, used as one.

`models/fold_0.safetensors`, `fold_1.safetensors`, ... stand for a `models/model.safetensors` that
is not there. So whatever asks for the weights of a bundle gets its ensemble, without a key of its
own.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medseg.errors import DataError, UsageError
from medseg.networks.weights_file import (
    header_object,
    read_weights_file,
    read_weights_header,
    signed_weights,
)

__all__ = [
    "fold_file",
    "fold_of",
    "joint_sha256",
    "member_settings",
    "one_fold",
    "stands_for",
    "weights_members",
    "with_fold",
]

KEY = "crossvalidation"
_WHOLE = "model.safetensors"
_FOLD = re.compile(r"fold_(0|[1-9][0-9]{0,3})\.safetensors")


def fold_file(folder: Path, fold: int) -> Path:
    """File of the weights of one fold."""
    return folder / f"fold_{fold}.safetensors"


def one_fold(folder: Path, fold: int) -> Path:
    """Weights of one fold of a cross-validation.

    Raises:
        UsageError: If there is no such fold; it names those that there are.
    """
    path = fold_file(folder, fold)
    if path.is_file():
        return path
    numbers = _numbers(folder) if folder.is_dir() else []
    there = (
        f"has folds {', '.join(map(str, numbers))}"
        if numbers
        else ("has no weights of folds; medseg crossvalidate trains them")
    )
    raise UsageError(f"--fold {fold}: {folder} {there}")


def weights_members(path: str | Path) -> tuple[Path, ...]:
    """Files that the weights at `path` consist of, by the number of their fold.

    Args:
        path: A `.safetensors` file. Where a `model.safetensors` is missing, the folds beside it are
            its members. A folder stands for that file in it.

    Returns:
        `path` alone, or all folds; `path` alone also if it is missing and there is no fold.

    Raises:
        DataError: If a fold is missing among them.
    """
    path = Path(path)
    if path.is_dir():
        path /= _WHOLE
    if path.name != _WHOLE or path.exists() or not path.parent.is_dir():
        return (path,)
    numbers = _numbers(path.parent)
    if not numbers:
        return (path,)
    members = tuple(fold_file(path.parent, number) for number in numbers)
    _, folds = fold_of(members[-1]) or (0, len(members))
    missing = next((n for n in range(max(folds, numbers[-1] + 1)) if n not in numbers), None)
    if missing is not None:
        raise DataError(
            f"{fold_file(path.parent, missing)}: missing, one of {folds} folds whose mean is "
            f"predicted; copy it there, or predict by one fold: --fold {numbers[0]}"
        )
    return members


def _numbers(folder: Path) -> list[int]:
    names = (_FOLD.fullmatch(one.name) for one in folder.iterdir())
    return sorted(int(match[1]) for match in names if match)


def joint_sha256(digests: Sequence[str]) -> str:
    """Digest of an ensemble's tensors: of those of its members in their order; of one, its own."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def stands_for(path: str | Path) -> bool:
    """Whether there are weights at `path`: a file, or folds that stand for it."""
    return weights_members(path)[0].is_file()


def fold_of(path: str | Path) -> tuple[int, int] | None:
    """Which fold weights are of, and of how many; None if no cross-validation trained them.

    Raises:
        DataError: If the file is missing or broken, or says it wrongly.
    """
    stated = header_object(read_weights_header(path), KEY)
    if not stated:
        return None
    fold, folds = stated.get("fold"), stated.get("folds")
    if not (type(fold) is int and type(folds) is int and 0 <= fold < folds <= 10_000):
        raise DataError(f"{path}: its fold is not as medseg crossvalidate writes it; copy it again")
    return fold, folds


def with_fold(path: str | Path, fold: int, folds: int) -> bytes:
    """The weights at `path` with their fold in the header, as a file's bytes.

    Raises:
        DataError: If the file is missing, broken or damaged.
    """
    header, content = read_weights_file(path)
    texts = {**header.texts, KEY: json.dumps({"fold": fold, "folds": folds})}
    return signed_weights(content, texts)


def member_settings(path: str | Path) -> dict[str, Any]:
    """Settings in the header of weights, the same in all members; empty if there is no file.

    Raises:
        DataError: If a file is broken, or members were trained with different settings.
    """
    members = weights_members(path)
    if not members[0].exists():
        return {}
    settings = [header_object(read_weights_header(member), "settings") for member in members]
    for member, stated in zip(members[1:], settings[1:], strict=True):
        _require_same(settings[0], stated, members[0], member)
    return settings[0]


def _require_same(
    first: Mapping[str, Any], stated: Mapping[str, Any], path: Path, member: Path
) -> None:
    names = sorted(name for name in first.keys() | stated.keys() if not _is_result(name))
    differing = next((name for name in names if first.get(name) != stated.get(name)), None)
    if differing is not None:
        number = _FOLD.sub(r"\1", member.name)
        raise DataError(
            f"{member}: was trained with another {differing} than {path.name}, so they are no "
            f"ensemble; predict by one of them: --fold {number}"
        )


def _is_result(setting: str) -> bool:
    """Whether it tells of the training's best epoch, and of nothing that inference repeats."""
    return setting == "epoch" or setting.startswith("val_")
