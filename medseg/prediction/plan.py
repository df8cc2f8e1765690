"""Decide which cases still need predicting; refuse to overwrite files we did not write."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg.bundles.configs import config_paths
from medseg.bundles.foreign.metadata import described_bundle
from medseg.data.digest import file_sha256
from medseg.errors import DataError, UsageError
from medseg.networks.members import weights_members
from medseg.networks.provenance import Provenance, read_provenance
from medseg.prediction.cases import CohortCase, content_sha256
from medseg.prediction.ledger import Entry, Ledger

__all__ = [
    "CaseStatus",
    "Existing",
    "Plan",
    "Settings",
    "case_status",
    "plan_cohort",
    "read_settings",
]

logger = logging.getLogger(__name__)

Existing = Literal["refuse", "replace"]
CaseStatus = Literal["done", "todo"]
LedgerStatus = Literal["same", "other", "unreadable"]
Outputs = Callable[[CohortCase], Sequence[Path]]


@dataclass(frozen=True)
class Settings:
    """Everything that the outputs of a run depend on, apart from the images.

    Attributes:
        content: Bundle, version, digests of weights and config, options; no paths.
        digest: SHA-256 of the content.
        provenance: Where the weights come from; follows from the content.
    """

    content: Mapping[str, Any]
    digest: str
    provenance: Provenance

    def key(self, case: CohortCase) -> str:
        """Digest of these settings and a case's content: equal keys give equal outputs."""
        return hashlib.sha256(f"{self.digest} {content_sha256(case)}".encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """Cases to predict, and cases that are done already."""

    todo: list[CohortCase]
    done: list[CohortCase]


def read_settings(
    bundle: Path, weights: Path, options: Mapping[str, Any], *, version: str
) -> Settings:
    """Collect the settings of a run.

    Args:
        bundle: The bundle's folder.
        weights: The weights file.
        options: Options of the command line, as JSON values, without paths.
        version: Version of medseg.

    Raises:
        UsageError: If the folder is not a bundle.
        DataError: If there are no weights, or they are damaged.
    """
    config = config_paths(bundle, ["inference"])
    metadata = bundle / "configs" / "metadata.json"
    described = described_bundle(bundle)
    provenance = read_provenance(weights)
    content = {
        "bundle": described.name,
        "version": described.version,
        "weights_sha256": _weights_sha256(weights),
        "config_sha256": [file_sha256(path) for path in (*config, metadata)],
        "options": dict(options),
        "medseg": version,
    }
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return Settings(content, digest, provenance)


def _weights_sha256(weights: Path) -> str | list[str]:
    """Digest of the file, or those of an ensemble's members."""
    digests = [file_sha256(member) for member in weights_members(weights)]
    return digests[0] if len(digests) == 1 else digests


def plan_cohort(
    cases: Sequence[CohortCase],
    ledger: Ledger,
    settings: Settings,
    *,
    outputs: Outputs,
    existing: Existing,
) -> Plan:
    """Separate cases that were done with the same settings and have unchanged files from the rest.

    Args:
        cases: The cases of this share.
        ledger: Ledger of the output folder.
        settings: Settings of this run.
        outputs: Returns the output files of a case.
        existing: Whether other files of these names are refused or replaced.

    Raises:
        UsageError: If this run would replace a file that it did not begin.
    """
    entries = {entry.name: entry for entry in ledger.entries()}
    plan = Plan([], [])
    for case in cases:
        status = _planned(case, entries.get(case.name), settings, outputs, existing)
        (plan.done if status == "done" else plan.todo).append(case)
    return plan


def case_status(
    case: CohortCase,
    entry: Entry | None,
    settings: Settings,
    paths: Sequence[Path],
    *,
    existing: Existing,
) -> CaseStatus:
    """Whether a case was done with the same settings and has unchanged files.

    Args:
        case: The case.
        entry: Its entry in the ledger.
        settings: Settings of this run.
        paths: Its output files.
        existing: Whether other files of these names are refused or replaced.

    Raises:
        UsageError: If predicting it would replace a file that this run did not begin.
    """
    status = _ledger_status(case, entry, settings)
    if status == "same" and entry and all(_as_written(path, entry) for path in paths):
        return "done"
    # An unreadable case will fail with the reason, and write nothing.
    foreign = [] if status == "unreadable" else _foreign(paths, entry, status)
    if foreign and existing == "refuse":
        raise UsageError(f"{foreign[0]} already exists; use --overwrite or another -o")
    return "todo"


def _planned(
    case: CohortCase,
    entry: Entry | None,
    settings: Settings,
    outputs: Outputs,
    existing: Existing,
) -> CaseStatus:
    try:
        return case_status(case, entry, settings, outputs(case), existing=existing)
    except UsageError:
        raise
    except Exception:
        # Asked again when the case's turn comes, where the error is that case's alone.
        logger.debug("%s: cannot be compared with the ledger yet", case.shown, exc_info=True)
        return "todo"


def _ledger_status(case: CohortCase, entry: Entry | None, settings: Settings) -> LedgerStatus:
    """Whether the ledger has a case as done with these settings and this content."""
    if entry is None or entry.status != "done" or entry.settings != settings.digest:
        return "other"
    try:
        return "same" if settings.key(case) == entry.key else "other"
    except DataError:
        return "unreadable"


def _foreign(paths: Sequence[Path], entry: Entry | None, status: LedgerStatus) -> list[Path]:
    """Existing files that this run would replace and that are not its own, begun or done."""
    if entry is not None and entry.key and entry.status != "done":
        return []
    there = [path for path in paths if path.exists()]
    return [path for path in there if not (status == "same" and entry and _as_written(path, entry))]


def _as_written(path: Path, entry: Entry) -> bool:
    return path.is_file() and file_sha256(path) == entry.outputs.get(path.name)
