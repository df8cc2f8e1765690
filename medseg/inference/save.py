"""Saving a predicted label in the grid of its image: NIfTI, NRRD, MetaImage, or a picture.

MONAI's `SaveImaged` writes directly to the final name, overwrites existing files, and leaves sform
and qform codes to chance. Here a label is written atomically, with the same affine in sform and
qform; if the qform cannot represent it, since a quaternion has no shear, it is marked as unknown.
"""

import re
from collections.abc import Generator, Hashable, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import nibabel
import numpy as np
from isal.igzip import IGzipFile
from monai.config.type_definitions import KeysCollection
from monai.data.meta_tensor import MetaTensor
from monai.transforms.io.dictionary import SaveImaged
from monai.transforms.transform import MapTransform
from numpy.typing import NDArray

from medseg._checks import require_choice
from medseg._files import write_atomically
from medseg.data.images.naming import image_stem, label_suffix
from medseg.data.output_names import LABEL
from medseg.data.source import parse_source
from medseg.errors import DataError, UsageError
from medseg.inference.itk_label import mha_bytes, nrrd_bytes
from medseg.inference.maps import LEVELS, Bytes
from medseg.inference.raster_label import png_bytes, tiff_bytes, tiff_pages

__all__ = ["SaveLabeld", "save_label", "save_map"]

# nibabel's code for "coordinates aligned to another file's": the image's.
_ALIGNED = 2
# Largest difference of the two affines at a corner, in voxels: rounding is far below, a visible
# shear far above.
_READERS_MAY_DIFFER = 0.1
# Labels are long runs: higher compression levels save next to nothing.
_LEVEL = 1
# Offset of the voxels in a NIfTI file without extensions.
_NIFTI_VOXELS = 352
_PICTURES = {".png": png_bytes, ".tif": tiff_bytes}


class SaveLabeld(SaveImaged):
    """Save an index map `(1, I, J, K)` as `<case>_seg.nii.gz`, integer, with its affine.

    The label of a picture, `(1, I, J)`, becomes a picture: `.tif` for a TIFF, `.png` for others.
    The case is the data's entry `case`, or else the image's name. A `SaveImaged` by its class only:
    tools that write results themselves, such as MONAI Label, leave out steps of that class.

    Args:
        keys: Entries to save; each a `MetaTensor` in the image's own grid.
        output_dir: Output folder.
        overwrite: `refuse` an existing file or `replace` it.
    """

    def __init__(self, keys: KeysCollection, *, output_dir: str, overwrite: str = "refuse") -> None:
        MapTransform.__init__(self, keys)
        require_choice("SaveLabeld: overwrite", overwrite, ("refuse", "replace"))
        self.output_dir = Path(output_dir)
        self.overwrite = overwrite

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Save, and return `data` unchanged.

        Raises:
            UsageError: If the file exists and is not to be replaced.
            DataError: If the case is no name of a file, but a path that could lead elsewhere.
        """
        for key in self.keys:
            label: MetaTensor = data[key]
            source = _source(label)
            # The name of a file that is there already, and no more, may hold any letter.
            named = data.get("case") or parse_source(source).series_uid
            case = _bare(str(named)) if named else image_stem(source)
            path = self.output_dir / f"{case}{LABEL}{label_suffix(source)}"
            if path.exists() and self.overwrite == "refuse":
                raise UsageError(f"{path} already exists; set overwrite to 'replace' or move it")
            values = label.as_tensor().cpu().numpy()[0]
            save_label(path, values, np.asarray(label.affine, dtype=np.float64))
        return dict(data)


def _bare(case: str) -> str:
    if re.search(r"[/\\:\0]", case):
        raise DataError(f"{case[:60]!r}: a case is the name of a file here, and holds no / \\ or :")
    return case


def _source(label: MetaTensor) -> str:
    return str(cast("Any", label).meta.get("filename_or_obj", ""))


def save_label(path: str | Path, values: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Write an index map atomically; an existing file is replaced.

    Equal labels give equal bytes.

    Args:
        path: With suffix `.nii.gz`, `.nii`, `.nrrd` or `.mha`, or `.png` or `.tif` for pictures.
        values: `(I, J, K)`, or `(I, J)` for a picture, whole numbers from 0; stored as uint8 if
            they fit, else uint16. A picture of uint16 stays 16 bit.
        affine: `(4, 4)`, voxel indices to mm, RAS+; not stored in pictures.

    Raises:
        DataError: If the values are not whole numbers.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if values.dtype.kind == "f" and (values != np.rint(values)).any():
        raise DataError(f"{path}: a label must hold whole numbers, got fractions")
    picture = _PICTURES.get(path.suffix.lower())
    if picture is not None:
        content = picture(values if values.dtype == np.uint16 else _smallest(values))
        write_atomically(path, lambda temporary: temporary.write_bytes(content))
        return
    values = _smallest(values)
    encode = {".nrrd": nrrd_bytes, ".mha": mha_bytes}.get(path.suffix.lower())
    if encode is None:
        header = _to_nifti(values, affine).header
        header.set_slope_inter(1, 0)
        write_atomically(path, lambda temporary: _write_nifti(temporary, header, [values]))
    else:
        content = encode(values, affine)
        write_atomically(path, lambda temporary: temporary.write_bytes(content))


def save_map(path: str | Path, levels: Bytes, affine: NDArray[np.float64]) -> None:
    """Write a map with values from 0 to 1.

    A volume's is a `.nii.gz` of bytes with a slope, C its last axis; a picture's a `.tif` of
    float32, with a page for each of C.

    Args:
        path: Output file; an existing one is replaced.
        levels: `(C, I, J, K)`, or `(C, I, J)` of a picture, 0 to `LEVELS`; if C is 1, the file
            has no axis for it.
        affine: `(4, 4)`, voxel indices to mm, RAS+; not stored for pictures.

    Raises:
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if path.suffix == ".tif":
        pages = tiff_pages(levels.astype(np.float32) / np.float32(LEVELS))
        write_atomically(path, lambda temporary: temporary.write_bytes(pages))
        return
    shape = levels.shape[1:] if len(levels) == 1 else (*levels.shape[1:], len(levels))
    nifti = _to_nifti(np.broadcast_to(np.uint8(0), shape), affine)
    header = nifti.header
    header.set_slope_inter(1 / LEVELS, 0)
    write_atomically(path, lambda temporary: _write_nifti(temporary, header, levels))


def _write_nifti(path: Path, header: Any, volumes: Iterable[NDArray[Any]]) -> None:
    """Write volumes `(I, J, K)` one after the other, slice by slice, without copying a volume."""
    header["vox_offset"] = _NIFTI_VOXELS
    with _opened(path) as stream:
        stream.write(header.binaryblock.ljust(_NIFTI_VOXELS, b"\0"))
        for volume in volumes:
            for plane in np.moveaxis(volume, -1, 0):
                stream.write(plane.tobytes(order="F"))


@contextmanager
def _opened(path: Path) -> Generator[IO[bytes]]:
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        with IGzipFile("", "wb", _LEVEL, file, mtime=0) as stream:
            yield cast("IO[bytes]", stream)


def _smallest(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.uint8 if values.max(initial=0) < 256 else np.uint16, copy=False)


def _to_nifti(values: NDArray[Any], affine: NDArray[np.float64]) -> Any:
    nifti = cast("Any", nibabel).Nifti1Image(values, affine)
    nifti.set_sform(affine, code=_ALIGNED)
    nifti.set_qform(affine, code=_ALIGNED)
    if _corner_gap(nifti.get_qform(), affine, values.shape) > _READERS_MAY_DIFFER:
        nifti.set_qform(None)
    return nifti


def _corner_gap(
    one: NDArray[np.float64], other: NDArray[np.float64], shape: tuple[int, ...]
) -> float:
    """Largest gap between a voxel's positions by two affines, in units of its smallest edge."""
    gap_mm = np.abs(one - other)[:3] @ [*shape[:3], 1]
    return float(gap_mm.max() / np.linalg.norm(other[:3, :3], axis=0).min())
