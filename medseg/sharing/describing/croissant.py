"""Croissant metadata of a data set, from its manifest: JSON-LD that data catalogues read.

Written and validated by MLCommons' own library. Patients are left out; cases, files with their
digests, licence and citation are in.

Reference: Akhtar et al., Croissant: A Metadata Format for ML-Ready Datasets, NeurIPS 2024.
"""

import json
import logging
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

from medseg._files import write_atomically
from medseg._quiet import quiet_loggers, quiet_warnings
from medseg.data.manifest import Case, Manifest
from medseg.errors import DataError, MachineError

__all__ = ["croissant_json", "write_croissant"]

_URL = re.compile(r"https?://[^\s;,]+")
_FORMATS = {".gz": "application/gzip", ".nii": "application/x-nifti", ".png": "image/png"}
_ROLES = ("image", "label")


def croissant_json(manifest: Manifest, *, url: str | None = None) -> dict[str, Any]:
    """Describe a data set as Croissant JSON-LD, validated.

    Args:
        manifest: Its manifest; every file of it has a digest.
        url: Address of the data set; the first one in the manifest's `source` if None.

    Raises:
        MachineError: If the extra `croissant` is missing.
        DataError: If a file has no digest, or no address is known.
    """
    if find_spec("mlcroissant") is None:
        raise MachineError("mlcroissant is not installed; pip install 'medseg[croissant]'")
    found = _URL.search(manifest.source)
    address = url or (found[0] if found else None)
    if address is None:
        raise DataError(f"{manifest.name}: its source has no address; give one by --url")
    library = cast("Any", import_module("mlcroissant"))
    # What it recommends beyond its schema, a manifest does not state: version and date.
    with quiet_warnings(), quiet_loggers("absl", level=logging.ERROR):
        described = library.Metadata(
            name=manifest.name,
            description=manifest.description,
            license=[manifest.licence],
            cite_as=manifest.citation,
            url=address,
            keywords=[manifest.modality, *manifest.class_names[1:]],
            distribution=list(_files(library, manifest)),
            record_sets=[_cases(library, manifest)],
        )
        content: dict[str, Any] = described.to_json()
        try:
            library.Dataset(jsonld=content)
        except library.ValidationError as error:
            reason = str(error).splitlines()[-1].strip(" -")
            raise DataError(f"{manifest.name}: is no valid Croissant ({reason})") from error
    return content


def write_croissant(manifest: Manifest, output: str | Path, *, url: str | None = None) -> None:
    """Write `croissant_json` to a file, which is replaced."""
    text = json.dumps(croissant_json(manifest, url=url), indent=1, ensure_ascii=False) + "\n"
    write_atomically(Path(output), lambda part: part.write_text(text, encoding="utf-8"))


def _files(library: Any, manifest: Manifest) -> Iterator[Any]:
    for case in manifest.cases:
        for role, path, digest in _paths(case):
            if digest is None:
                raise DataError(
                    f"{manifest.name}: case {case.case}: its {role} has no sha256; Croissant "
                    "states a digest for every file"
                )
            yield library.FileObject(
                id=f"{case.case}-{role}",
                name=f"{case.case}-{role}",
                content_url=path,
                encoding_formats=[_FORMATS.get(Path(path).suffix, "application/octet-stream")],
                sha256=digest,
            )


def _cases(library: Any, manifest: Manifest) -> Any:
    """A table of the cases: id, part, image and label, by the ids of their files."""

    def field(name: str, meaning: str) -> Any:
        return library.Field(
            id=f"cases/{name}",
            name=name,
            description=meaning,
            data_types=[library.DataType.TEXT],
        )

    fields = [
        field("case", "Identifier of the case"),
        field("part", "Fold of a training case, or test"),
        field("image", "Image, as the id of its file"),
        field("label", "Reference, as the id of its file; empty if there is none"),
    ]
    tests = {case.case for case in manifest.test}
    rows = [
        _row(case, "test" if case.case in tests else f"fold {case.fold}") for case in manifest.cases
    ]
    return library.RecordSet(id="cases", name="cases", key=["cases/case"], fields=fields, data=rows)


def _row(case: Case, part: str) -> dict[str, str]:
    files = [(role, f"{case.case}-{role}") for role, *_ in _paths(case)]
    named = {part: " ".join(id_ for role, id_ in files if role.startswith(part)) for part in _ROLES}
    row = {"case": case.case, "part": part, **named}
    return {f"cases/{name}": value for name, value in row.items()}


def _paths(case: Case) -> Iterator[tuple[str, str, str | None]]:
    """Yield role, path and digest of each file; the images of several channels are numbered."""
    given = case.sha256.get("image", ())
    digests = (given,) if isinstance(given, str) else given
    roles = ["image", *(f"image-{number}" for number in range(2, len(case.images) + 1))]
    yield from zip_longest(roles, case.images, digests[: len(roles)])
    if case.label is not None:
        label = case.sha256.get("label")
        yield "label", case.label, label if isinstance(label, str) else None
