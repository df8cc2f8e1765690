"""Folder of a run: what is to be run, and its result."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import medseg
from medseg._files import write_atomically
from medseg.errors import DataError, UsageError
from medseg.studies.results import CaseScore, Cost, Losses, RunResult

__all__ = ["LOG", "RESULT", "RUN", "RunSpec", "read_result", "write_result"]

RUN, RESULT, LOG = "run.json", "result.json", "log.txt"
# Columns of the tables that are no scores.
_NAMES = ("case", "name", "group", "presence")


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What is to be run.

    Attributes:
        bundle: Folder of the bundle.
        dataset_dir: Folder of the data set.
        train: Overrides of the training, by full path with `::`.
        evaluate: Overrides of the evaluation, likewise.
        manifest: The data set's manifest, if the run has its own.
        losses: Whether losses are computed at the end.
        threads: Cores.
    """

    bundle: str
    dataset_dir: str
    train: Mapping[str, Any]
    evaluate: Mapping[str, Any]
    manifest: Mapping[str, Any] | None
    losses: bool
    threads: int

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Of `run.json` in a folder."""
        return cls(**json.loads((folder / RUN).read_text(encoding="utf-8")))

    def write(self, folder: Path) -> None:
        """Into `run.json` in a folder, which is made."""
        _write_json(folder / RUN, asdict(self))


def write_result(
    folder: Path,
    *,
    reason: str = "",
    cost: Mapping[str, Any] | None = None,
    losses: Mapping[str, float] | None = None,
) -> None:
    """Write the result of a run, which makes its folder complete."""
    content = {"medseg": medseg.__version__, "reason": reason, "cost": cost, "losses": losses}
    _write_json(folder / RESULT, content)


def read_result(folder: Path, *, row: str, seed: int, fold: int) -> RunResult | None:
    """Result of a run; None if it has none.

    Raises:
        UsageError: If another version of medseg has run it.
        DataError: If its files cannot be read.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        made_by = content["medseg"]
        run = RunResult(row=row, seed=seed, fold=fold, digest=folder.name, folder=folder)
        if made_by != medseg.__version__:
            raise UsageError(
                f"{folder}: was run by medseg {made_by}, and this is {medseg.__version__}; runs of "
                "two versions are not compared: give another --runs folder, or remove this one"
            )
        if content["reason"]:
            return replace(run, reason=content["reason"])
        return replace(
            run,
            cases=tuple(_scores(folder)),
            cost=Cost(**content["cost"]) if content["cost"] else None,
            losses=Losses(**content["losses"]) if content["losses"] else None,
        )
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise DataError(f"{folder}: its result cannot be read ({error}); remove it") from error


def _scores(folder: Path) -> Iterator[CaseScore]:
    yield from _table(folder / "scores.csv")
    if (folder / "instances.csv").exists():
        yield from _table(folder / "instances.csv")


def _table(path: Path) -> Iterator[CaseScore]:
    with path.open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            numbers = {name: value for name, value in line.items() if name not in _NAMES}
            yield CaseScore(
                case=line["case"],
                class_name=line.get("name") or "all",
                group=line.get("group") or None,
                values={name: float(value) for name, value in numbers.items() if _is_number(value)},
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
