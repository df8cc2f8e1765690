"""NRRD and MetaImage files, read with SimpleITK.

ITK converts all their coordinate spaces to LPS. An NRRD file without a space is refused: its axes
could point anywhere.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medseg.data.images.naming import image_format
from medseg.data.problems import Problem, Where, refusal

__all__ = ["read_itk"]

# ITK converts every space that it supports to this one.
KNOWN_SPACE = "left-posterior-superior"
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def read_itk(
    path: Path, *, where: Where = "image"
) -> tuple[NDArray[Any], NDArray[np.float64], str]:
    """Read a `.nrrd`, `.nhdr`, `.mha` or `.mhd` file.

    Returns:
        The array, axes as stored; the `(4, 4)` affine, RAS+ in mm; the type of the values.

    Raises:
        InputError: If the file is damaged, has no orientation, or holds vectors or colours.
    """
    # SimpleITK takes a while to import, and most volumes are NIfTI. SWIG made it without types.
    sitk = cast("Any", import_module("SimpleITK"))
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    # ITK's warnings bypass Python's streams; errors are raised as well.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # noqa: FBT003 - ITK's signature
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        what = f"cannot be read as {_format(path)}"
        raise refusal(path, Problem("error", where, what, "copy or export it again")) from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)
    _check(path, image, where)
    array: NDArray[Any] = sitk.GetArrayFromImage(image)
    return array.T, _affine(image), array.dtype.name


def _check(path: Path, image: Any, where: Where) -> None:
    if image.GetNumberOfComponentsPerPixel() != 1:
        remedy = "convert it to one number per voxel"
        raise refusal(path, Problem("error", where, "holds colours or vectors", remedy))
    oriented = image.HasMetaDataKey("NRRD_space") and image.GetMetaData("NRRD_space") == KNOWN_SPACE
    if _format(path) == "NRRD" and not oriented:
        what = "does not say where its axes point (space, space directions)"
        raise refusal(path, Problem("error", where, what, "export it again with its orientation"))


def _format(path: Path) -> str:
    found = image_format(path)
    return "ITK" if found is None else found.name


def _affine(image: Any) -> NDArray[np.float64]:
    """Affine `(4, 4)`; files of other than three axes are refused later, by their array."""
    affine = np.eye(4)
    if image.GetDimension() == 3:
        directions = np.reshape(image.GetDirection(), (3, 3))
        affine[:3, :3] = LPS_TO_RAS @ directions * np.asarray(image.GetSpacing())
        affine[:3, 3] = LPS_TO_RAS @ np.asarray(image.GetOrigin())
    return affine
