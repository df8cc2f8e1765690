"""Index of a share: its bundles as `index.json`, by `medseg bundle index`, for `install`.

It says what is there and with which digest. What it says of verdicts and signatures is for people:
whoever installs judges and verifies the bundle itself.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medseg.bundles.judgement.verdict import Verdict
from medseg.errors import DataError, UsageError
from medseg.sharing.store.names import Wanted, version_order

__all__ = ["INDEX", "MOST_INDEX_BYTES", "PAGE", "Entry", "Index", "choose_entry", "read_index"]

INDEX = "index.json"
PAGE = "index.html"
MOST_INDEX_BYTES = 16 << 20

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, Field(max_length=1000)]


class Entry(BaseModel):
    """A bundle of a share.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        file: Name of its zip, beside the index.
        size: Of the zip in bytes.
        sha256: Of the zip.
        bundle_sha256: Of the bundle's list of digests.
        task: In a line, from its metadata.
        images: That it takes, likewise.
        labels: Names of its classes, from 0.
        licence: Of the bundle, by name.
        data_licence: Of the data that its weights were trained on, by name.
        verdict: When the index was written.
        signature: In words, by the keys that whoever wrote the index trusted.
    """

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9}){0,3}$")]
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,200}\.zip$")]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256
    bundle_sha256: Sha256
    task: Line
    images: Line
    labels: Annotated[tuple[Line, ...], Field(max_length=1000)]
    licence: Line
    data_licence: Line
    verdict: Verdict
    signature: Line


class Index(BaseModel):
    """The bundles of a share; readers ignore keys that they do not know."""

    model_config = ConfigDict(frozen=True)

    format: Literal["medseg.share/1"] = "medseg.share/1"
    bundles: tuple[Entry, ...]


def read_index(content: bytes, where: str) -> Index:
    """Read the index.

    Args:
        content: Of `index.json`.
        where: The share, for the error.

    Raises:
        DataError: If it is no such index.
    """
    try:
        return Index.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part)[:60] for part in problem["loc"])
        raise DataError(
            f"{where}: {INDEX} is no index of a share ({key or 'the file'}: "
            f"{problem['msg']:.100}); write it by medseg bundle index"
        ) from error


def choose_entry(index: Index, wanted: Wanted, where: str) -> Entry:
    """The bundle of a name: the newest version, or the one asked for.

    Raises:
        UsageError: If the share has none, or several with other contents.
    """
    named = [
        entry
        for entry in index.bundles
        if entry.name == wanted.name and entry.bundle_sha256.startswith(wanted.digest or "")
    ]
    fitting = [entry for entry in named if wanted.version in (None, entry.version)]
    if not fitting:
        there = named or index.bundles
        names = sorted({f"{entry.name}@{entry.version}" for entry in there})[:20]
        raise UsageError(f"{where}: has no {wanted}; it has {', '.join(names) or 'no bundles'}")
    newest = max(fitting, key=lambda entry: version_order(entry.version))
    same = {entry.sha256 for entry in fitting if entry.version == newest.version}
    if len(same) > 1:
        raise DataError(f"{where}: has {newest.name}@{newest.version} with several contents")
    return newest
