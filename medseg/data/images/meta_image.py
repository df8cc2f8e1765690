"""MetaImage files (`.mha`, `.mhd`): the header first, then exactly the voxels that it states.

Their axes point in ITK's directions: left, posterior, superior.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.images.damage import one_line_errors
from medseg.data.images.geometry import axes_problem
from medseg.data.images.itk_header import (
    LPS_TO_RAS,
    floats,
    header_lines,
    orientation_doubt,
    place_doubt,
    unit_doubt,
    voxel_file,
    whole,
)
from medseg.data.images.voxels import FileVolume, Packing, Stored, read_voxels, unpacked
from medseg.data.problems import Problem, Where, refusal

__all__ = ["read_meta_image"]

_CODES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    # ITK's library writes and reads 4 bytes on every machine.
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
# Names of one thing, as older programs write them.
_SAME = {
    "Position": "Offset",
    "Origin": "Offset",
    "Rotation": "TransformMatrix",
    "Orientation": "TransformMatrix",
    "ElementByteOrderMSB": "BinaryDataByteOrderMSB",
}
# ITK writes what it knows of an image under its own names: `dim[0]`, `0008|0060`.
_NAME = re.compile(r"[ -~]+")
_WORDS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def read_meta_image(path: Path, *, where: Where = "image") -> FileVolume:
    """Read a MetaImage file, or a header and the file beside it that it names.

    Raises:
        InputError: If it is damaged, its header contradicts itself or the file's length, it has
            more voxels than the limit, or is no scalar volume.
    """
    with one_line_errors(path, where, "MetaImage"), path.open("rb") as file:
        fields = _fields(file)
        sizes = [whole(text, "DimSize") for text in _field(fields, "DimSize").split()]
        if len(sizes) != whole(_field(fields, "NDims"), "NDims") or min(sizes) < 0:
            raise ValueError(f"its header states NDims = {fields['NDims']} and sizes {sizes}")
        _refuse_others(path, fields, sizes, where)
        affine = _affine(fields, len(sizes))
        named = _field(fields, "ElementDataFile")
        if _is_local(named):
            array = _voxels(path, file, fields, sizes, where)
        else:
            beside = voxel_file(path, named, where=where)
            with beside.open("rb") as voxels:
                array = _voxels(beside, voxels, fields, sizes, where)
    return FileVolume(array, affine, array.dtype.name, tuple(_doubts(fields, where)))


def _fields(file: IO[bytes]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in header_lines(file, lambda line: line.startswith("ElementDataFile")):
        name, mark, value = line.partition("=" if "=" in line else ":")
        if not line.strip():
            continue
        name = name.strip()
        name, value = _SAME.get(name, name), value.strip()
        if not mark or not _NAME.fullmatch(name) or fields.get(name, value) != value:
            raise ValueError(f"its header has no or two values for {name[:40]!r}")
        fields[name] = value
    return fields


def _field(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise ValueError(f"its header lacks {name}")
    return fields[name]


def _is_local(named: str) -> bool:
    """Whether the voxels follow the header; ITK's library takes these three words."""
    return named in ("LOCAL", "Local", "local")


def _refuse_others(path: Path, fields: Mapping[str, str], sizes: list[int], where: Where) -> None:
    channels = fields.get("ElementNumberOfChannels", "1")
    if channels != "1" or "_ARRAY" in fields.get("ElementType", ""):
        remedy = "convert it to one number per voxel"
        raise refusal(path, Problem("error", where, "holds colours or vectors", remedy))
    if len(sizes) < 3 or any(size != 1 for size in sizes[3:]):
        raise refusal(path, axes_problem(sizes, where))
    for name, neutral in (("Slope", 1), ("Offset", 0)):
        text = fields.get(f"ElementToIntensityFunction{name}", str(neutral))
        if floats([text], name, 1)[0] != neutral:
            what = f"its header scales the values ({name} {text}), which programs ignore or apply"
            raise refusal(path, Problem("error", where, what, "write the scaled values"))


def _affine(fields: Mapping[str, str], axes: int) -> NDArray[np.float64]:
    spacing = fields.get("ElementSpacing") or _field(fields, "ElementSize")
    steps = floats(spacing.split(), "ElementSpacing", axes)[:3]
    matrix = fields.get("TransformMatrix", " ".join(map(str, np.eye(axes).ravel()))).split()
    directions = floats(matrix, "TransformMatrix", axes**2).reshape(axes, axes)[:3, :3]
    affine = np.eye(4)
    # A row of the matrix is an axis of the image.
    affine[:3, :3] = LPS_TO_RAS @ directions.T * steps
    # It changes nothing, but with fewer numbers ITK's library takes the next line for them.
    if "CenterOfRotation" in fields:
        floats(fields["CenterOfRotation"].split(), "CenterOfRotation", axes)
    offset = fields.get("Offset", " ".join(["0"] * axes)).split()
    affine[:3, 3] = LPS_TO_RAS @ floats(offset, "Offset", axes)[:3]
    return affine


def _voxels(
    path: Path, file: IO[bytes], fields: Mapping[str, str], sizes: list[int], where: Where
) -> NDArray[Any]:
    code = _CODES.get(_field(fields, "ElementType"))
    if code is None:
        raise ValueError(f"values of type {fields['ElementType'][:20]!r}")
    if not _word(fields, "BinaryData", "True"):
        raise ValueError("its voxels are text; write them as binary data")
    order = ">" if _word(fields, "BinaryDataByteOrderMSB", "False") else "<"
    packing: Packing = "zlib" if _word(fields, "CompressedData", "False") else "raw"
    _check_packed_size(file, fields, packing)
    dtype = np.dtype(order + code)
    skip = whole(fields.get("HeaderSize", "0"), "HeaderSize")
    local = _is_local(fields["ElementDataFile"])
    if skip < -1 or (skip and packing == "zlib") or (skip > 0 and local):
        raise ValueError(f"HeaderSize {skip} cannot be used with such voxels")
    if skip == -1:
        left = os.fstat(file.fileno()).st_size - file.tell()
        skip = max(left - math.prod(sizes) * dtype.itemsize, 0)
    with unpacked(file, packing) as source:
        return read_voxels(path, source, Stored(tuple(sizes), dtype, skip), where=where)


def _check_packed_size(file: IO[bytes], fields: Mapping[str, str], packing: Packing) -> None:
    left = os.fstat(file.fileno()).st_size - file.tell()
    stated = whole(fields.get("CompressedDataSize", "0"), "CompressedDataSize")
    if stated not in ((0, left) if packing == "zlib" else (0,)):
        raise ValueError(
            f"CompressedDataSize is {stated}, the file has {left}, packed as {packing}"
        )


def _word(fields: Mapping[str, str], name: str, otherwise: str) -> bool:
    word = _WORDS.get(fields.get(name, otherwise).lower())
    if word is None:
        raise ValueError(f"{name} is {fields[name][:20]!r}, not True or False")
    return word


def _doubts(fields: Mapping[str, str], where: Where) -> Iterator[Problem]:
    if "TransformMatrix" not in fields:
        yield orientation_doubt(where)
    if "Offset" not in fields:
        yield place_doubt(where)
    unit = fields.get("DistanceUnits", "mm")
    if unit not in ("mm", "?", ""):
        yield unit_doubt(unit, where)
