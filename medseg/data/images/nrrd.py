"""NRRD files (`.nrrd`, `.nhdr`): the header first, then exactly the voxels that it states.

A file without a space is refused: its axes could point anywhere.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
    place_doubt,
    unit_doubt,
    voxel_file,
    whole,
)
from medseg.data.images.voxels import FileVolume, Packing, Stored, read_voxels, unpacked
from medseg.data.problems import Problem, Where, refusal

__all__ = ["read_nrrd"]

Axis = tuple[int, NDArray[np.float64] | None]
_VECTOR = re.compile(r"\([^()]*\)|none", re.I)
# A line that is skipped.
_LONGEST_LINE = 2**20

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": (
        *("longlong", "long long", "long long int", "signed long long"),
        *("signed long long int", "int64", "int64_t"),
    ),
    "u8": (
        *("ulonglong", "unsigned long long", "unsigned long long int"),
        *("uint64", "uint64_t"),
    ),
    "f4": ("float",),
    "f8": ("double",),
}
_CODES = {name: code for code, names in _TYPES.items() for name in names}
_PACKINGS: dict[str, Packing] = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
}
# Of any use here or not: a damaged name is told from a field that need not be known.
_FIELDS = {
    *("dimension", "type", "block size", "blocksize", "encoding", "endian", "content"),
    *("min", "max", "old min", "oldmin", "old max", "oldmax", "number", "sample units"),
    *("sampleunits", "data file", "datafile", "line skip", "lineskip", "byte skip", "byteskip"),
    *("space", "space dimension", "space units", "space origin", "space directions"),
    *("measurement frame", "sizes", "spacings", "thicknesses", "axis mins", "axismins"),
    *("axis maxs", "axismaxs", "centers", "centerings", "kinds", "labels", "units"),
}
_SPACES: dict[str, NDArray[np.float64]] = {
    "left-posterior-superior": LPS_TO_RAS,
    "lps": LPS_TO_RAS,
    "right-anterior-superior": np.eye(3),
    "ras": np.eye(3),
    "left-anterior-superior": np.diag([-1.0, 1.0, 1.0]),
    "las": np.diag([-1.0, 1.0, 1.0]),
}
_SPATIAL = re.compile(r"domain|space|none|\?\?\?")
_KINDS = re.compile(
    r"time|list|point|stub|scalar|complex|quaternion"
    r"|(\d-|covariant-)?(vector|normal|gradient)|(\d|\w{3,4})-color|\d-quaternion"
    r"|\dd-(masked-)?(symmetric-)?matrix"
)
# Kinds of axes whose entries are the numbers of one voxel.
_NUMBERS = re.compile(r"\d|.*(vector|normal|gradient|color|complex|point|quaternion)")


def read_nrrd(path: Path, *, where: Where = "image") -> FileVolume:
    """Read an NRRD file, or a header and the file beside it that it names.

    Raises:
        InputError: If it is damaged, its header contradicts itself or the file's length, it has no
            orientation, more voxels than the limit, or is no scalar volume.
    """
    with one_line_errors(path, where, "NRRD"), path.open("rb") as file:
        fields = _fields(file)
        _refuse_flat(path, fields, where)
        axes = _axes(fields)
        _refuse_others(path, fields, axes, where)
        affine = _affine(path, fields, axes, where)
        named = fields.get("data file", fields.get("datafile"))
        if named is None:
            array = _voxels(path, file, fields, axes, where)
        else:
            beside = voxel_file(path, named, where=where)
            with beside.open("rb") as voxels:
                array = _voxels(beside, voxels, fields, axes, where)
    spatial = tuple(size for size, vector in axes if vector is not None)
    array = array.reshape(spatial, order="A")
    return FileVolume(array, affine, array.dtype.name, tuple(_doubts(fields, where)))


def _fields(file: IO[bytes]) -> dict[str, str]:
    if not re.fullmatch(rb"NRRD000[1-5]", file.readline(16).rstrip(b"\r\n")):
        raise ValueError("it does not begin like one")
    fields: dict[str, str] = {}
    for line in header_lines(file, lambda line: not line):
        name, colon, value = line.partition(":")
        # `key:=value` are notes of other programs.
        if not line or line.startswith("#") or value.startswith("="):
            continue
        name = name.strip().lower()
        if not colon or name in fields:
            raise ValueError(f"its header has no or a second value for {name[:40]!r}")
        if name not in _FIELDS:
            raise ValueError(f"its header has a field {name[:40]!r}, which is none of NRRD's")
        fields[name] = value.strip()
    if "space" in fields and "space dimension" in fields:
        raise ValueError("its header states a space and a space dimension; only one may be there")
    return fields


def _field(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise ValueError(f"its header lacks {name!r}")
    return fields[name]


def _axes(fields: Mapping[str, str]) -> list[Axis]:
    """Size of each axis, and its direction, or None if it is none of space."""
    count = whole(_field(fields, "dimension"), "dimension")
    sizes = [whole(text, "sizes") for text in _field(fields, "sizes").split()]
    if len(sizes) != count or not 1 <= count <= 16 or min(sizes) < 0:
        raise ValueError(f"its header states {count} axes of sizes {sizes}")
    stated = fields.get("space directions", "")
    directions = _VECTOR.findall(stated)
    if _VECTOR.sub("", stated).strip(" \t,"):
        raise ValueError(f"space directions {stated[:60]!r} are not vectors")
    if len(directions) != count:
        return [(size, None) for size in sizes]
    return [(size, _vector(text)) for size, text in zip(sizes, directions, strict=True)]


def _refuse_flat(path: Path, fields: Mapping[str, str], where: Where) -> None:
    """Refuse fewer axes than a volume has, and directions of a space that has more."""
    sizes = [whole(text, "sizes") for text in _field(fields, "sizes").split()]
    first = next((v for v in _VECTOR.findall(fields.get("space directions", "")) if "," in v), "")
    agreed = len(sizes) == whole(_field(fields, "dimension"), "dimension")
    if agreed and (len(sizes) < 3 or (len(sizes) > 3 and first.count(",") > 2)):
        raise refusal(path, axes_problem(sizes, where))


def _vector(text: str) -> NDArray[np.float64] | None:
    if text.lower() == "none":
        return None
    if not (text.startswith("(") and text.endswith(")")):
        raise ValueError(f"{text[:60]!r} is no vector in parentheses")
    numbers = [number.strip() for number in text[1:-1].split(",")]
    return floats(numbers, "a space direction", 3)


def _refuse_others(
    path: Path, fields: Mapping[str, str], axes: Sequence[Axis], where: Where
) -> None:
    """Refuse what has no orientation, and axes of anything but space."""
    if fields.get("space", "").lower() not in _SPACES or all(one is None for _, one in axes):
        what = "does not say where its axes point (space, space directions)"
        raise refusal(path, Problem("error", where, what, "export it again with its orientation"))
    kinds = fields.get("kinds", "").lower().split()
    fit = (
        _SPATIAL.fullmatch(kind) or (one is None and _KINDS.fullmatch(kind))
        for kind, (_, one) in zip(kinds, axes, strict=False)
    )
    if kinds and not (len(kinds) == len(axes) and all(fit)):
        raise ValueError(f"its header states kinds {' '.join(kinds)[:60]!r} of {len(axes)} axes")
    others = [place for place, (size, one) in enumerate(axes) if one is None and size != 1]
    if any(place == 0 or (kinds and _NUMBERS.match(kinds[place])) for place in others):
        remedy = "convert it to one number per voxel"
        raise refusal(path, Problem("error", where, "holds colours or vectors", remedy))
    spatial = sum(one is not None for _, one in axes)
    if others or spatial != 3:
        raise refusal(path, axes_problem([size for size, _ in axes], where))


def _affine(
    path: Path, fields: Mapping[str, str], axes: Sequence[Axis], where: Where
) -> NDArray[np.float64]:
    to_ras = _SPACES[fields["space"].lower()]
    affine = np.eye(4)
    affine[:3, :3] = to_ras @ np.column_stack([one for _, one in axes if one is not None])
    if "space origin" in fields:
        origin = _vector(fields["space origin"])
        affine[:3, 3] = 0 if origin is None else to_ras @ origin
    return affine


def _voxels(
    path: Path, file: IO[bytes], fields: Mapping[str, str], axes: Sequence[Axis], where: Where
) -> NDArray[Any]:
    packing = _PACKINGS.get(_field(fields, "encoding").lower())
    if packing is None:
        raise ValueError(f"encoding {fields['encoding'][:20]!r} is none of raw, gzip, bzip2")
    stored = Stored(tuple(size for size, _ in axes), _dtype(fields))
    _skip_lines(file, whole(fields.get("line skip", fields.get("lineskip", "0")), "line skip"))
    skip = whole(fields.get("byte skip", fields.get("byteskip", "0")), "byte skip")
    if skip < -1 or (skip and packing != "raw"):
        raise ValueError(f"byte skip {skip} cannot be used with encoding {packing}")
    if skip == -1:
        skip = _left(file) - math.prod(stored.shape) * stored.dtype.itemsize
    with unpacked(file, packing) as source:
        return read_voxels(path, source, replace(stored, skip=max(skip, 0)), where=where)


def _skip_lines(file: IO[bytes], count: int) -> None:
    for _ in range(count):
        # A header may state more lines than any file has.
        if not file.readline(_LONGEST_LINE):
            raise EOFError("the file ends before its voxels")


def _left(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size - file.tell()


def _dtype(fields: Mapping[str, str]) -> np.dtype[Any]:
    code = _CODES.get(_field(fields, "type").lower())
    if code is None:
        raise ValueError(f"values of type {fields['type'][:20]!r}")
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower())
    if order is None and not code.endswith("1"):
        raise ValueError("its header lacks 'endian'")
    return np.dtype((order or "|") + code)


def _doubts(fields: Mapping[str, str], where: Where) -> Iterator[Problem]:
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", ""))) - {"mm", "millimeter", ""}
    if units:
        yield unit_doubt(" ".join(sorted(units)), where)
    if "space origin" not in fields:
        yield place_doubt(where)
