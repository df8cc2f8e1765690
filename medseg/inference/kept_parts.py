"""Connected parts of a predicted label: the largest of a class, or those from a size on, stay.

Networks invent small parts far from the structure. What is removed becomes background. Which
classes gain by it is for out-of-fold predictions to say, see `medseg crossvalidate`.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from monai.config.type_definitions import KeysCollection
from monai.data.meta_tensor import MetaTensor
from monai.transforms.transform import MapTransform
from monai.utils.type_conversion import convert_to_dst_type
from numpy.typing import NDArray
from scipy import ndimage

from medseg._checks import require_not_negative
from medseg.errors import DataError, UsageError

__all__ = ["KeepPartsd", "PartRule", "keep_parts", "label_parts", "stays", "unit_size"]

Label = NDArray[np.integer[Any]]
# MONAI has no complete annotations.
_to_dst_type = cast("Any", convert_to_dst_type)


@dataclass(frozen=True, kw_only=True)
class PartRule:
    """Which connected parts of a class stay.

    Attributes:
        keep: `largest` is the largest alone, the first of equals.
        smallest: Size from which a part stays, in ml, or pixels of a picture.
    """

    keep: Literal["all", "largest"] = "all"
    smallest: float = 0.0


def stays(sizes: NDArray[Any], rule: PartRule) -> NDArray[np.bool_]:
    """Which parts stay.

    Args:
        sizes: `(n,)`, of the parts of one class in one label, in the unit of the rule.
        rule: The rule.

    Returns:
        `(n,)`.
    """
    kept = sizes >= rule.smallest
    if rule.keep == "largest" and len(sizes):
        kept &= np.arange(len(sizes)) == np.argmax(sizes)
    return kept


def label_parts(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the parts of a mask, connected over faces, edges and corners.

    Args:
        mask: `(*spatial)`.

    Returns:
        `(*spatial)`, 0 outside of the mask, the parts from 1 on; and how many there are.
    """
    return ndimage.label(mask, structure=np.ones((3,) * mask.ndim))


def unit_size(affine: NDArray[Any] | None, axes: int) -> float:
    """Size of a voxel in ml; 1 for a picture's pixel.

    Args:
        affine: `(4, 4)`, voxel indices to mm; not used for pictures.
        axes: Spatial axes of the label.
    """
    if axes == 2 or affine is None:
        return 1.0
    return float(abs(np.linalg.det(affine[:3, :3]))) / 1000


def keep_parts(label: Label, rules: Mapping[int, PartRule], unit: float) -> Label:
    """Remove the parts of a label that do not stay.

    Args:
        label: `(*spatial)`, class indices.
        rules: By class index; other classes stay as they are.
        unit: Size of a voxel, see `unit_size`.

    Returns:
        `(*spatial)`, of the same type; the label itself if nothing is removed.
    """
    result = label
    # find_objects supports native byte order only.
    native = label.astype(label.dtype.newbyteorder("="), copy=False)
    boxes = ndimage.find_objects(native, max_label=max(rules, default=0))
    for value, rule in rules.items():
        box = boxes[value - 1]
        if box is None:
            continue
        parts, count = label_parts(label[box] == value)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:] * unit
        removed = np.concatenate(([False], ~stays(sizes, rule)))
        if removed.any():
            result = result.copy() if result is label else result
            result[box][removed[parts]] = 0
    return result


class KeepPartsd(MapTransform):
    """Remove small or lesser connected parts of a predicted label.

    In a bundle it stands in `postprocessing`, before `SaveLabeld`. Without classes it changes
    nothing.

    Args:
        keys: Entries, each `(1, *spatial)` class indices in the image's own grid; for `smallest` a
            `MetaTensor` with its affine.
        class_names: One for each value, the background's first.
        keep_largest: Classes of which the largest part alone stays.
        smallest: By class, the size from which a part stays: in ml, or in pixels of a picture.

    Raises:
        UsageError: For a class that is not there, or a size below 0.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        class_names: Sequence[str],
        keep_largest: Sequence[str] = (),
        smallest: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(keys)
        sizes = dict(smallest or {})
        names = list(class_names)
        for key, given in (("keep_largest", keep_largest), ("smallest", sizes)):
            _require_classes(key, given, names)
        for name, size in sizes.items():
            require_not_negative(f"smallest#{name}", size)
        self.rules = {
            names.index(name): PartRule(
                keep="largest" if name in keep_largest else "all", smallest=sizes.get(name, 0.0)
            )
            for name in {**dict.fromkeys(keep_largest), **sizes}
        }

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample, with the parts that stay.

        Raises:
            DataError: If an entry is no label of one channel.
        """
        sample = dict(data)
        for key in self.keys if self.rules else ():
            label = np.asarray(sample[key].cpu() if hasattr(sample[key], "cpu") else sample[key])
            if label.shape[0] != 1 or label.dtype.kind not in "iu":
                raise DataError(
                    f"{key}: must be class indices (1, *spatial), got {label.dtype} {label.shape}; "
                    "leave keep_largest and smallest out; numbered objects have least_px"
                )
            affine = _affine(sample[key])
            kept = keep_parts(label[0], self.rules, unit_size(affine, label.ndim - 1))
            if kept is not label[0]:
                sample[key] = _to_dst_type(kept[None], sample[key], dtype=label.dtype)[0]
        return sample


def _affine(image: Any) -> NDArray[np.float64] | None:
    if not isinstance(image, MetaTensor):
        return None
    return np.asarray(image.affine.cpu(), dtype=np.float64).reshape(4, 4)


def _require_classes(key: str, given: Any, names: Sequence[str]) -> None:
    if isinstance(given, str):
        raise UsageError(f"{key} must be a list of classes, got {given!r}; write {key}=[{given}]")
    unknown = next((name for name in given if name not in names[1:]), None)
    if unknown is not None:
        raise UsageError(
            f"{key}: there is no class {unknown!r}; they are {', '.join(map(str, names[1:]))}"
        )
