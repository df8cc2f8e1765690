"""Before a cohort starts: which cases are done already, and that nothing of the user's is lost."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg.bundles.cohort_cases import CohortCase, content_sha256
from medseg.bundles.configs import config_paths
from medseg.bundles.ledger import Entry, Ledger
from medseg.bundles.metadata import load_metadata
from medseg.data.digest import file_sha256
from medseg.errors import DataError, UsageError

__all__ = ["Existing", "Plan", "Settings", "plan_cohort", "read_settings"]

Existing = Literal["refuse", "replace"]
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
        there = [path for path in outputs(case) if path.exists()]
        entry = entries.get(case.name)
        if entry is not None and _is_done(case, entry, settings, outputs(case)):
            plan.done.append(case)
            continue
        foreign = [path for path in there if not _may_go(path, case, entry, settings)]
        if foreign and existing == "refuse":
            raise UsageError(f"{foreign[0]} is there already; give --overwrite or another -o")
        plan.todo.append(case)
    return plan


def _is_done(case: CohortCase, entry: Entry, settings: Settings, outputs: Sequence[Path]) -> bool:
    if entry.status != "done" or entry.settings != settings.digest:
        return False
    return all(_as_written(path, entry) for path in outputs) and _is_of(case, entry, settings)


def _may_go(path: Path, case: CohortCase, entry: Entry | None, settings: Settings) -> bool:
    """Whether a file is what this very run would write: half a case, or one with a file missing."""
    if entry is None or entry.status == "failed":
        return False
    if entry.status == "begun":
        return True
    same = entry.settings == settings.digest and _is_of(case, entry, settings)
    return same and _as_written(path, entry)


def _as_written(path: Path, entry: Entry) -> bool:
    return path.is_file() and file_sha256(path) == entry.outputs.get(path.name)


def _is_of(case: CohortCase, entry: Entry, settings: Settings) -> bool:
    try:
        return settings.key(case) == entry.key
    except DataError:
        return False  # reading the case will say what is wrong
