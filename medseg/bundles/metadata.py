"""Metadata of a bundle (metadata.json), validated by MONAI's schema without network access.

MONAI's `verify_metadata` downloads its schema. Here the same rules are a pydantic model, with
some that the schema lacks: a changelog entry for the version, exact versions, and a description
of every channel.

Reference:
    MONAI bundle metadata schema 20240725,
    https://project-monai.github.io/schema/meta_schema_20240725.json
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from medseg._checks import first_few
from medseg._text import json_bytes
from medseg.bundles.scores import Scores
from medseg.errors import DataError

__all__ = ["Metadata", "TensorFormat", "load_metadata"]

Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
# A size, `*` for any size, or a formula in p and n such as 16*n.
Size = int | Annotated[str, Field(pattern=r"^(\*|[0-9pn*+\-/() ]+)$")]


class TensorFormat(BaseModel):
    """One input or output of the network."""

    model_config = ConfigDict(extra="allow")

    type: Literal["image", "tensor", "label", "series", "tuples", "probabilities"]
    format: str
    modality: str = "n/a"
    num_channels: Annotated[int, Field(ge=1)]
    spatial_shape: Annotated[list[Size], Field(min_length=1)]
    dtype: Literal["float16", "float32", "float64", "uint8", "int16", "int32"]
    value_range: list[float]
    is_patch_data: bool
    channel_def: dict[str, str]

    @model_validator(mode="after")
    def _every_channel_is_described(self) -> Self:
        named = len(self.channel_def) == self.num_channels
        if not named or set(self.channel_def) != {str(i) for i in range(self.num_channels)}:
            raise ValueError(
                f"channel_def must name channels 0 to {self.num_channels - 1}, "
                f"got {first_few(name[:20] for name in sorted(self.channel_def))}"
            )
        return self


class NetworkFormat(BaseModel):
    """Inputs and outputs of the network; MONAI's tools look for `image` and `pred`."""

    model_config = ConfigDict(extra="allow")

    inputs: dict[str, TensorFormat]
    outputs: dict[str, TensorFormat]

    @model_validator(mode="after")
    def _names_that_tools_look_for(self) -> Self:
        if "image" not in self.inputs or "pred" not in self.outputs:
            raise ValueError("inputs must contain image, and outputs pred")
        return self


class Metadata(BaseModel):
    """The whole file; keys beyond these are allowed, as in the schema."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    schema_url: Annotated[str, Field(alias="schema", pattern=r"^https://.*\.json$")]
    version: Version
    changelog: dict[Version, str]
    monai_version: Version
    pytorch_version: Version
    numpy_version: Version
    required_packages_version: dict[str, Version]
    supported_apps: dict[str, Any] = {}
    name: str
    task: str
    description: str
    authors: str
    copyright: str
    intended_use: str
    references: list[str]
    network_data_format: NetworkFormat
    scores: Scores | None = None

    @field_validator("name")
    @classmethod
    def _is_a_folder_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9_]+", name):
            raise ValueError(
                f"name must be of a-z, 0-9 and _, as the bundle's folder, got {name!r}"
            )
        return name

    @model_validator(mode="after")
    def _version_is_in_the_changelog(self) -> Self:
        if self.version not in self.changelog:
            raise ValueError(f"changelog has no entry for version {self.version}")
        return self


def load_metadata(path: str | Path) -> Metadata:
    """Read and validate a metadata.json.

    Raises:
        DataError: If it is missing or breaks a rule; it names the key.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        if json_bytes(content) != content:
            # MONAI reads the file as well, and as it is.
            what = "begins with a byte order mark, as Notepad writes it"
            raise DataError(f"{path}: {what}; save it as UTF-8 without one")
        return Metadata.model_validate_json(content)
    except OSError as error:
        raise DataError(f"{path}: cannot read the metadata ({error.strerror})") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part)[:60] for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        raise DataError(f"{path}: {where + ': ' if where else ''}{what}") from error
