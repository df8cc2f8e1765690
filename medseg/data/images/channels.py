"""Channels of one image: PET with CT, T1 with FLAIR, each a file of its own, or one file of all.

Files may have grids of their own. Each is kept as it was read, so that it is checked for what it
is, and `on_first_grid` brings all to the grid of the first, in which the label is, by one linear
resampling. That they show the same place is checked in millimetres.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.dicom.allowances import Gaps, Tilt
from medseg.data.images.naming import is_raster
from medseg.data.images.one_grid import overlap, resampled
from medseg.data.images.picture import Picture, read_image, read_picture
from medseg.data.images.volume import Volume, read_volume
from medseg.data.problems import Problem, refusal
from medseg.data.source import Source, as_source

if TYPE_CHECKING:
    from medseg.data.dicom.find import DicomSeries

__all__ = ["on_first_grid", "read_channels"]

# Share of the smaller field of view that lies in the other: of one patient's images nearly all.
_LEAST, _USUAL = 0.5, 0.8
# Share of the first channel's field that another one covers; of whole-body PET, an MR
# of a limb covers a part.
_LEAST_COVERED = 0.1


def read_channels(
    sources: "Sequence[DicomSeries | Source | str | Path]",
    *,
    tilt: Tilt = "refuse",
    gaps: Gaps = "refuse",
) -> Volume | Picture:
    """Read an image of one or several channels.

    Args:
        sources: One for each channel, see `read_volume` and `read_raster`; one file that holds all
            n of them, along its fourth axis, is given n times.
        tilt: See `read_volume`.
        gaps: Likewise.

    Returns:
        The first channel, a volume with the others as `others`; or a picture of all channels.

    Raises:
        InputError: If one cannot be read, if volumes do not show the same place or are of
            different patients, or pictures differ in shape.
    """
    given = [_given(source) for source in sources]
    if len(given) == 1:
        return _read(given[0], tilt, gaps)
    if len(set(given)) == 1 and isinstance(given[0], Source) and given[0].series_uid is None:
        return _of_one_file(given[0].path, len(given), tilt)
    parts = [_read(one, tilt, gaps) for one in given]
    names = [_name(one, part) for one, part in zip(given, parts, strict=True)]
    pictures = [part for part in parts if isinstance(part, Picture)]
    if len(pictures) == len(parts):
        return _one_picture(names, pictures)
    if pictures:
        what, remedy = "one is a picture, the other a volume", "save all in one kind of format"
        both = f"{names[parts.index(pictures[0])]} and another channel"
        raise refusal(both, Problem("error", "image", what, remedy))
    first, *others = (part for part in parts if isinstance(part, Volume))
    placed = (
        replace(other, doubts=(*other.doubts, *_place_problems(first, other, name, names[0])))
        for name, other in zip(names[1:], others, strict=True)
    )
    return replace(first, others=tuple(placed))


def on_first_grid(image: Volume | Picture) -> NDArray[Any]:
    """All channels in the grid of the first.

    Returns:
        `(C, I, J, K)` of a volume, `(C, I, J)` of a picture. A single channel keeps its type, as do
        several of one type and one grid; others are float32. A voxel outside of a channel's field
        of view has no signal, see `resampled`.
    """
    if isinstance(image, Picture):
        plane = image.array[:, :, 0]
        return plane[None] if plane.ndim == 2 else np.moveaxis(plane, -1, 0)
    if not image.others:
        return image.array[None]
    place = image.affine, image.shape
    rest = [resampled(one.array, one.affine, *place) for one in image.others]
    return np.stack([image.array, *rest]).astype(_common_type([image.array, *rest]), copy=False)


def _common_type(arrays: Sequence[NDArray[Any]]) -> np.dtype[Any]:
    types = {array.dtype for array in arrays}
    return types.pop() if len(types) == 1 else np.dtype(np.float32)


def _given(source: "DicomSeries | Source | str | Path") -> "DicomSeries | Source":
    return as_source(source) if isinstance(source, Source | str | Path) else source


def _read(source: "DicomSeries | Source", tilt: Tilt, gaps: Gaps) -> Volume | Picture:
    if isinstance(source, Source) and is_raster(source.path):
        return read_image(source.path)
    return read_volume(source, tilt=tilt, gaps=gaps)


def _name(source: "DicomSeries | Source", image: Volume | Picture) -> str:
    """A channel's name in errors; of a DICOM series its UID, as paths may name a patient."""
    if isinstance(image, Volume) and image.dicom is not None:
        return f"DICOM series {image.dicom.series_uid}"
    return str(source.path)


def _of_one_file(path: Path, channels: int, tilt: Tilt) -> Volume | Picture:
    if not is_raster(path):
        return read_volume(path, tilt=tilt, channels=channels)
    picture = read_picture(path, "rgb" if channels == 3 else "any")
    if len(on_first_grid(picture)) != channels:
        what = f"is one picture, where an image of {channels} channels was expected"
        raise refusal(path, Problem("error", "image", what, "give a file for each channel"))
    return picture


def _one_picture(names: Sequence[str], parts: Sequence[Picture]) -> Picture:
    for name, part in zip(names, parts, strict=True):
        if part.array.ndim == 4:
            what, remedy = "is in colour, where one channel was expected", "save it as grey values"
            raise refusal(name, Problem("error", "image", what, remedy))
        if part.shape != parts[0].shape:
            what = f"has shape {part.shape[:2]}, {names[0]} has {parts[0].shape[:2]}"
            raise refusal(name, Problem("error", "image", what, "give channels of one size"))
    return Picture(
        array=np.stack([part.array for part in parts], axis=-1),
        dtype=" + ".join(dict.fromkeys(part.dtype for part in parts)),
        doubts=tuple(dict.fromkeys(doubt for part in parts for doubt in part.doubts)),
    )


def _place_problems(first: Volume, other: Volume, name: str, of: str) -> Iterator[Problem]:
    """Yield warnings about where another channel lies beside the first.

    Raises:
        InputError: If it cannot be of the same patient.
    """
    _refuse_other_patient(first, other, name)
    covered = overlap(first.affine, first.shape, other.affine, other.shape)
    common = max(covered, overlap(other.affine, other.shape, first.affine, first.shape))
    smaller = f"{100 * common:.0f} % of the smaller field of view lies in the larger"
    if common < _LEAST:
        what = f"shows another place than {of}: {smaller}"
        remedy = "check that both are of one patient and visit (channels of different patients?)"
        raise refusal(name, Problem("error", "image", what, remedy))
    if common < _USUAL:
        kind = "shares little of the first channel's field of view"
        remedy = "check that both are of one visit"
        yield Problem("warning", "image", f"{kind}: {smaller}", remedy, kind)
    elif covered < _LEAST_COVERED:
        kind = "covers little of the first channel's field of view"
        what = f"covers {100 * covered:.0f} % of the first channel's field of view"
        remedy = "fine if that part matters; no signal fills the rest"
        yield Problem("warning", "image", what, remedy, kind)


def _refuse_other_patient(first: Volume, other: Volume, name: str) -> None:
    # pydicom takes a while to import, and most volumes are not DICOM.
    from medseg.data.dicom.person import read_person

    if first.series is None or other.series is None:
        return
    patients = {read_person(series).patient_id for series in (first.series, other.series)} - {""}
    if len(patients) > 1:
        what = "is a series of another patient than the first channel, by its PatientID"
        remedy = "give channels of one patient"
        raise refusal(name, Problem("error", "image", what, remedy))
