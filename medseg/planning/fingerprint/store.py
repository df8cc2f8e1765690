"""Store of what was read of cases: a JSON file each, by the digest of its files.

So a plan that was interrupted goes on where it was, one with new cases reads these alone, and
another plan of the same files reads none.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, cast

import numpy as np

from medseg._files import cache_dir, write_atomically
from medseg.data.datasets.facts import CaseReport, ImageFacts, LabelFacts
from medseg.data.manifest import Case, Manifest
from medseg.data.problems import Problem
from medseg.planning.fingerprint.case_facts import CaseFacts, ChannelFacts, ClassFacts
from medseg.planning.fingerprint.read_case import ReadCase

__all__ = ["Store"]

# Raised when what is measured changes.
_VERSION = 2


class Store:
    """Facts and reports of the cases of a manifest, in the cache folder.

    Args:
        manifest: Whose modality, channels and labels decide what is measured and told.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.folder = cache_dir() / "fingerprints"
        asked = manifest.model_dump(
            mode="json", include={"modality", "channels", "labels", "label_kind", "rois"}
        )
        self._asked = json.dumps([_VERSION, asked], sort_keys=True)

    def get(self, case: Case) -> ReadCase | None:
        """What was read of a case; None if nothing, or if its files have no digests."""
        path = self._path(case)
        if path is None:
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return _read(content, case)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, case: Case, read: ReadCase) -> None:
        """Keep what was read; a cache that cannot be written is done without."""
        path = self._path(case)
        if path is None:
            return
        text = json.dumps(_written(read))
        try:
            write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        except OSError:
            return

    def _path(self, case: Case) -> Path | None:
        if set(case.sha256) != {"image", "label"}:
            return None
        digests = f"{case.sha256['image']} {case.sha256['label']} {self._asked}"
        return self.folder / f"{hashlib.sha256(digests.encode()).hexdigest()}.json"


def _written(read: ReadCase) -> dict[str, Any]:
    report = dataclasses.asdict(dataclasses.replace(read.report, sketch=None))
    sketch = read.report.sketch
    return {
        "facts": None if read.facts is None else dataclasses.asdict(read.facts),
        "report": report,
        "sketch": None if sketch is None else [round(float(value), 5) for value in sketch],
    }


def _read(content: dict[str, Any], case: Case) -> ReadCase:
    facts, report = content["facts"], content["report"]
    image, sketch = report["image"], content["sketch"]
    found = CaseReport(
        case=case.case,
        patient=case.patient,
        place="test" if case.fold is None else f"fold {case.fold}",
        image=None if image is None else _image(image),
        labels=tuple(LabelFacts(**one) for one in report["labels"]),
        problems=tuple(Problem(**one) for one in report["problems"]),
        sketch=None if sketch is None else np.asarray(sketch, dtype=np.float32),
    )
    if facts is None:
        return ReadCase(None, found)
    known = _tuples(facts)
    known |= {
        "case": case.case,
        "classes": tuple(ClassFacts(**_tuples(one)) for one in facts["classes"]),
        "others": tuple(ChannelFacts(**_tuples(one)) for one in facts["others"]),
    }
    return ReadCase(CaseFacts(**known), found)


def _image(content: dict[str, Any]) -> ImageFacts:
    known = _tuples(content)
    known["others"] = tuple(_image(one) for one in content["others"])
    return ImageFacts(**known)


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for key, value in content.items()
    }
