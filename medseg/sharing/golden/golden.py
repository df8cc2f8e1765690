"""Golden case of a packed bundle: a small image, the label expected of it, and how near is enough.

A digest says whether files are the same; this says whether the bundle still does the same, on
another machine, with another engine. `golden/case.json` is this model; image and label lie beside.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from medseg.data.label_kind import LabelKind
from medseg.errors import DataError
from medseg.inference.engines.words import EngineName
from medseg.sharing.digests import Sha256
from medseg.sharing.layout import CASE

__all__ = ["LEAST_DSC", "GoldenCase", "least_dsc", "read_golden", "write_golden"]

# A name beside case.json, never a path.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
Precision = Literal["fp32", "bf16", "fp16"]

# Least Dice similarity coefficient of each class: in single precision, machines differ in the order
# of additions alone, which moves voxels that were undecided.
# Below this, a bundle that says so would pass with any label.
_LOOSEST = 0.9
LEAST_DSC: Mapping[Precision, float] = {"fp32": 0.995, "bf16": 0.95, "fp16": 0.95}


class GoldenCase(BaseModel):
    """What `golden/case.json` holds.

    Attributes:
        format: Name and version of this format.
        image: File in `golden/`: NIfTI, or PNG for bundles of pictures.
        image_sha256: Of its bytes.
        label: File in `golden/` with the label that torch gives in fp32, in the image's own grid.
        label_sha256: Of its bytes.
        voxels_sha256: Of the label's shape and values, by `medseg.data.digest.voxels_sha256` (of a
            picture's label as `(I, J, 1)`); equal if a run gives the very same label.
        label_kind: What its values mean. Objects are compared as one class, as their numbers may
            differ, and by how many there are.
        classes: Names of the label values, from 0; for objects, background and the object.
        weights_sha256: Digest of the tensors that gave the label, as in the weights' header.
        made_with: Versions of medseg, monai and torch that gave it.
        least_dsc: By engine and precision as `Predictor.engine` names them (`torch fp32`): the
            least Dice coefficient of every class but the background that counts as the same. A
            class in neither label counts 1, in one of them 0. Not below 0.9: the bundle's own word
            is not to make its test pass with any label.
        origin: Where the image comes from, in words.
        licence: Of image and label, e.g. `CC0-1.0`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["medseg.golden/1"] = "medseg.golden/1"
    image: FileName
    image_sha256: Sha256
    label: FileName
    label_sha256: Sha256
    voxels_sha256: Sha256
    label_kind: LabelKind = "classes"
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    weights_sha256: Sha256
    made_with: Mapping[str, str]
    least_dsc: Mapping[str, Annotated[float, Field(ge=_LOOSEST, le=1)]]
    origin: Annotated[str, Field(min_length=1)]
    licence: Annotated[str, Field(min_length=1)]

    @field_validator("least_dsc")
    @classmethod
    def _every_engine_has_one(cls, least: Mapping[str, float]) -> Mapping[str, float]:
        missing = [name for name in least_dsc() if name not in least]
        if missing:
            raise ValueError(f"has no entry for {missing[0]!r}")
        return least


def least_dsc() -> dict[str, float]:
    """The default of `GoldenCase.least_dsc`, for every engine and precision."""
    engines = get_args(EngineName)
    return {f"{engine} {name}": least for engine in engines for name, least in LEAST_DSC.items()}


def write_golden(case: GoldenCase) -> bytes:
    """Indented JSON, keys sorted, UTF-8."""
    content = case.model_dump(mode="json")
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_golden(content: bytes, where: str) -> GoldenCase:
    """Read a golden case.

    Args:
        content: Of `golden/case.json`.
        where: The bundle, for the error.

    Raises:
        DataError: If it is no such case.
    """
    try:
        return GoldenCase.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part)[:60] for part in problem["loc"])
        raise DataError(
            f"{where}: {CASE} is no golden case ({key or 'the file'}: {problem['msg']:.100})"
        ) from error
