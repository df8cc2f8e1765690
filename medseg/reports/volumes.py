"""Structure volumes of a predicted label (ml, per cent, connected components), as a table row.

A connected component counts if it is as large as a nodule that guidelines follow up, 6 mm across:
single voxels at a surface come and go with the scanner's noise. A picture has no millimetres: areas
are in pixels and in per cent of the picture.

Reference:
    MacMahon et al., Guidelines for management of incidental pulmonary nodules detected on CT
    images, Radiology 2017, https://doi.org/10.1148/radiol.2017161659 (6 mm)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg._csv import csv_text
from medseg.data.label_kind import LabelKind, as_classes
from medseg.data.patterns import natural_key
from medseg.data.wording import rounded_ml, rounded_percent
from medseg.errors import UsageError

__all__ = [
    "LEAST_PART_ML",
    "REMARKS",
    "StructureVolume",
    "area_columns",
    "made_by_columns",
    "measure_volumes",
    "volume_columns",
    "volumes_csv",
]


# A sphere 5.8 mm across.
LEAST_PART_ML = 0.1

# Column for what is remarkable about an image, the last.
REMARKS = "remarks"


@dataclass(frozen=True, kw_only=True)
class StructureVolume:
    """Volume of one structure of one case.

    Attributes:
        name: Its class.
        ml: Volume of the voxels that carry its label.
        parts: Connected components of at least `LEAST_PART_ML`; voxels that share a face, an edge
            or a corner are connected.
        parent: The structure that it is part of, or None.
        percent: Percentage of the parent with all its parts, in [0, 100]; None without a parent,
            or if the parent is empty.
    """

    name: str
    ml: float
    parts: int
    parent: str | None = None
    percent: float | None = None


def measure_volumes(
    label: NDArray[Any],
    affine: NDArray[np.float64],
    class_names: Sequence[str],
    part_of: Mapping[str, str] | None = None,
) -> list[StructureVolume]:
    """Measure all classes except the background.

    Args:
        label: `(I, J, K)`, class indices.
        affine: `(4, 4)`, voxel indices to mm.
        class_names: One for each label value, the background's first.
        part_of: Name of the parent of a structure; names that are no class are ignored.

    Raises:
        ValueError: If the structures form a cycle.
    """
    ml_each = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    counts = np.bincount(label.ravel(), minlength=len(class_names))
    ml = {name: ml_each * int(n) for name, n in zip(class_names, counts, strict=False)}
    parents = {c: p for c, p in (part_of or {}).items() if c in ml and p in ml}
    least = LEAST_PART_ML / ml_each
    boxes: list[Any] = ndimage.find_objects(label, max_label=len(class_names) - 1)
    return [
        StructureVolume(
            name=name,
            ml=ml[name],
            parts=0 if box is None else _parts(label[box] == value, least),
            parent=parents.get(name),
            percent=_percent(name, ml, parents),
        )
        for value, (name, box) in enumerate(zip(class_names[1:], boxes, strict=True), start=1)
    ]


def made_by_columns(bundle: str, version: str, caution: str) -> dict[str, str]:
    """Table cells of a case that say what measured it, and what to know of that."""
    return {"bundle": bundle, "version": version, "caution": caution}


def volume_columns(volumes: Iterable[StructureVolume]) -> dict[str, str]:
    """Table cells of a case by column, rounded to what they are worth."""
    cells: dict[str, str] = {}
    for one in volumes:
        cells[f"{one.name}_ml"] = rounded_ml(one.ml)
        if one.parent is not None:
            percent = "" if one.percent is None else rounded_percent(one.percent)
            cells[f"{one.name}_percent_of_{one.parent}"] = percent
        cells[f"{one.name}_parts"] = str(one.parts)
    return cells


def volumes_csv(cases: Mapping[str, Mapping[str, str]]) -> str:
    """CSV with one row per case, by name with numbers by value, and the columns of all cases.

    Args:
        cases: Cells of each case, see `volume_columns`.
    """
    names = sorted(cases, key=natural_key)
    columns = list(dict.fromkeys(column for name in names for column in cases[name]))
    columns.sort(key=REMARKS.__eq__)
    rows = ([name, *(cases[name].get(c, "") for c in columns)] for name in names)
    return csv_text(["case", *columns], rows)


def _parts(mask: NDArray[np.bool_], least_voxels: float) -> int:
    components, count = ndimage.label(mask, ndimage.generate_binary_structure(3, 3))
    if count == 0:
        return 0
    # Tolerate rounding: a component of exactly the least volume counts.
    return int((np.bincount(components.ravel())[1:] >= least_voxels * (1 - 1e-9)).sum())


def _percent(name: str, ml: Mapping[str, float], parents: Mapping[str, str]) -> float | None:
    if name not in parents:
        return None
    whole = _with_parts(parents[name], ml, parents)
    return 100 * _with_parts(name, ml, parents) / whole if whole else None


def _with_parts(name: str, ml: Mapping[str, float], parents: Mapping[str, str]) -> float:
    return sum(volume for one, volume in ml.items() if name in _line(one, parents))


def _line(name: str, parents: Mapping[str, str]) -> list[str]:
    line = [name]
    while line[-1] in parents:
        line.append(parents[line[-1]])
        if line[-1] in line[:-1]:
            raise UsageError(f"part_of has a cycle: {' in '.join(line)}; remove one of these")
    return line


def area_columns(
    label: NDArray[Any], class_names: Sequence[str], kind: LabelKind = "classes"
) -> dict[str, str]:
    """Measure all classes except the background.

    Args:
        label: `(I, J)`, class indices, or instance numbers if `kind` is `instances`.
        class_names: One for each class, the background's first.
        kind: Meaning of the label's values.

    Returns:
        For each class its pixels and their percentage of the picture, and of instances
        their number, by the column's name.
    """
    pixels = np.bincount(as_classes(label, kind).ravel(), minlength=len(class_names))
    cells: dict[str, str] = {}
    for name, count in zip(class_names[1:], pixels[1:].tolist(), strict=False):
        cells[f"{name}_px"] = str(count)
        cells[f"{name}_percent"] = rounded_percent(100 * count / label.size)
    if kind == "instances":
        numbers = np.unique(label)
        cells[f"{class_names[1]}_count"] = str(int(np.count_nonzero(numbers)))
    return cells
