"""Record of an installed bundle: where it came from, what was checked, and what was found."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medseg.bundles.judgement.verdict import Verdict
from medseg.errors import DataError

__all__ = ["RECORD", "Listed", "Record", "SourceRecord", "read_record"]

# Beside the bundle's folder: a file within would be one that no list of digests has.
RECORD = "installed.json"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Listed = Literal["complete", "no list of digests"]


class SourceRecord(BaseModel):
    """Where a bundle was installed from.

    Attributes:
        asked: As the user gave it, paths absolute.
        found: The file, folder or address that this led to.
        sha256: Of the zip; None for a folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: str
    found: str
    sha256: Sha256 | None


class Record(BaseModel):
    """What an installation leaves beside the bundle.

    Attributes:
        format: Name and version of this format.
        name: Of the bundle.
        version: Of the bundle.
        sha256: Of the bundle, whatever it was packed in: `Digests.bundle_sha256`, or the digest of
            its files if it has no list of digests.
        size: Of its files, in bytes.
        source: Where it came from.
        listed: Whether every file was checked against the bundle's list of digests.
        signed_by: Name of the trusted key that signed it; None if none did.
        signature: In words, as `signed by an unknown key`.
        verdict: When it was installed.
        places: How many places the verdict is for.
        installed: When.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["medseg.installed/1"] = "medseg.installed/1"
    name: str
    version: str
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    source: SourceRecord
    listed: Listed
    signed_by: str | None
    signature: str
    verdict: Verdict
    places: Annotated[int, Field(ge=0)]
    installed: datetime


def read_record(content: bytes, where: str) -> Record:
    """Read the record.

    Args:
        content: Of `installed.json`.
        where: Its folder, for the error.

    Raises:
        DataError: If it is no such record.
    """
    try:
        return Record.model_validate_json(content)
    except ValidationError as error:
        raise DataError(
            f"{where}: {RECORD} is no record of an installation; remove this folder and install "
            "the bundle again"
        ) from error
