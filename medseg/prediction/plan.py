"""Before a cohort starts: which cases are done already, and that nothing of the user's is lost."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg.bundles.configs import config_paths
from medseg.bundles.metadata import load_metadata
from medseg.data.digest import file_sha256
from medseg.errors import DataError, UsageError
from medseg.prediction.cases import CohortCase, content_sha256
from medseg.prediction.ledger import Entry, Ledger

__all__ = ["Existing", "Plan", "Settings", "plan_cohort", "read_settings"]

Existing = Literal["refuse", "replace"]
LedgerStatus = Literal["same", "other", "unreadable"]
Outputs = Callable[[CohortCase], Sequence[Path]]


@dataclass(frozen=True)
class Settings:
    """What all labels of a run depend on, beside the images.

    Attributes:
        content: Bundle, version, digests of weights and config, options; no paths.
        digest: Of the content.
    """

    content: Mapping[str, Any]
    digest: str

    def key(self, case: CohortCase) -> str:
        """Digest of these settings and a case's content: equal for what gives equal outputs."""
        return hashlib.sha256(f"{self.digest} {content_sha256(case)}".encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what need not be."""

    todo: list[CohortCase]
    done: list[CohortCase]


def read_settings(
    bundle: Path, weights: Path, options: Mapping[str, Any], *, version: str
) -> Settings:
    """Read what a run depends on.

    Args:
        bundle: The bundle's folder.
        weights: Its weights.
        options: Of the command line, as JSON values, without paths.
        version: medseg's.

    Raises:
        UsageError: If the folder is no bundle.
        DataError: If there are no weights.
    """
    config = config_paths(bundle, ["inference"])
    metadata = bundle / "configs" / "metadata.json"
    known = load_metadata(metadata)
    if not weights.is_file():
        raise DataError(f"{weights}: no weights there; train the bundle first, or install them")
    content = {
        "bundle": known.name,
        "version": known.version,
        "weights_sha256": file_sha256(weights),
        "config_sha256": [file_sha256(path) for path in (*config, metadata)],
        "options": dict(options),
        "medseg": version,
    }
    return Settings(content, hashlib.sha256(json.dumps(content).encode()).hexdigest())


def plan_cohort(
    cases: Sequence[CohortCase],
    ledger: Ledger,
    settings: Settings,
    *,
    outputs: Outputs,
    existing: Existing,
) -> Plan:
    """Sort out what was done with the same settings, and is still there as it was written.

    Args:
        cases: Of this share.
        ledger: Of the output folder.
        settings: Of this run.
        outputs: The files that a case will have.
        existing: Whether other files of these names are refused or replaced.

    Raises:
        UsageError: If a file is there that this run did not begin and would replace.
    """
    entries = {entry.name: entry for entry in ledger.entries()}
    plan = Plan([], [])
    for case in cases:
        entry, paths = entries.get(case.name), outputs(case)
        known = _ledger_status(case, entry, settings)
        if known == "same" and entry and all(_as_written(path, entry) for path in paths):
            plan.done.append(case)
            continue
        # Reading what cannot be read will say why, and write nothing.
        foreign = [] if known == "unreadable" else _foreign(paths, entry, known)
        if foreign and existing == "refuse":
            raise UsageError(f"{foreign[0]} is there already; give --overwrite or another -o")
        plan.todo.append(case)
    return plan


def _ledger_status(case: CohortCase, entry: Entry | None, settings: Settings) -> LedgerStatus:
    """What the ledger knows of a case: done with these settings and this content, or not."""
    if entry is None or entry.status != "done" or entry.settings != settings.digest:
        return "other"
    try:
        return "same" if settings.key(case) == entry.key else "other"
    except DataError:
        return "unreadable"


def _foreign(paths: Sequence[Path], entry: Entry | None, known: LedgerStatus) -> list[Path]:
    """Files that are not what this run would write: half a case, or one with a file missing."""
    if entry is not None and entry.status == "begun":
        return []
    there = [path for path in paths if path.exists()]
    return [path for path in there if not (known == "same" and entry and _as_written(path, entry))]


def _as_written(path: Path, entry: Entry) -> bool:
    return path.is_file() and file_sha256(path) == entry.outputs.get(path.name)
