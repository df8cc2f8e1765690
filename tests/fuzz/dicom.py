"""DICOM: tags and bytes of one file of a series, held against pydicom and arithmetic."""

import io
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from medseg.data.dicom.ct_writer import write_ct_series
from medseg.data.images.volume import read_volume
from tests.fuzz.mutation import mutate_bytes, odd_number
from tests.fuzz.target import Facts, Target

_AFFINE = np.array([[-1.5, 0, 0, 10], [0, -2.0, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])
_SLICES = 3
_TEXTS = (
    "",
    "0",
    "-1",
    "1e30",
    "nan",
    "1,5",
    "99999999999999",
    "abc",
    "1\\2",
    "1\\0\\0\\0\\1\\0",
    "0\\0\\0\\0\\0\\0",
    "ü",
    "MONOCHROME1",
    "RGB",
)


@cache
def series() -> tuple[bytes, ...]:
    import tempfile

    image = np.random.default_rng(0).integers(-1000, 1000, (6, 5, _SLICES)).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        write_ct_series(Path(folder), image, _AFFINE, case="fuzz")
        return tuple(path.read_bytes() for path in sorted(Path(folder).iterdir()))


@cache
def corpus() -> dict[str, bytes]:
    """The middle slice, in the transfer syntaxes that need no codec."""
    made = {"explicit.dcm": series()[1]}
    for name, syntax in [("implicit", ImplicitVRLittleEndian), ("rle", RLELossless)]:
        dataset = pydicom.dcmread(io.BytesIO(series()[1]))
        if syntax == RLELossless:
            dataset.compress(RLELossless)
        made[f"{name}.dcm"] = _saved(dataset, None if syntax == RLELossless else syntax)
    return made


def _saved(dataset: Dataset, syntax: pydicom.uid.UID | None = None) -> bytes:
    out = io.BytesIO()
    if syntax is not None:
        dataset.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(
            out,
            dataset,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian,
        )
    else:
        pydicom.dcmwrite(out, dataset)
    return out.getvalue()


def mutate(rng: Random, data: bytes) -> bytes:
    if rng.random() < 0.4:
        return mutate_bytes(rng, data, head=len(data))
    dataset = pydicom.dcmread(io.BytesIO(data))
    for _ in range(rng.randint(1, 2)):
        _set_element(rng, dataset)
    try:
        return _saved(dataset)
    # pydicom refuses to write some of what others write.
    except Exception:
        return mutate_bytes(rng, data, head=len(data))


def _set_element(rng: Random, dataset: Dataset) -> None:
    element = rng.choice([one for one in dataset if one.tag != 0x7FE00010])
    if rng.random() < 0.15:
        del dataset[element.tag]
    elif element.VR == "US":
        element._value = rng.choice((odd_number(rng) % 65536, 8, 12, 15, 16, 1, 0))
    elif element.VR in ("DS", "IS", "CS", "UI", "LO", "SH", "PN", "DA", "TM"):
        element._value = rng.choice(_TEXTS)
    elif rng.random() < 0.3:
        element._value = None


def place(folder: Path, name: str, data: bytes) -> Path:
    first, _, last = series()
    for number, content in enumerate((first, data, last)):
        (folder / f"{number}.dcm").write_bytes(content)
    return folder


def ours(path: Path) -> Facts:
    volume = read_volume(path)
    return {"array": volume.array, "affine": volume.affine, "told": bool(volume.doubts)}


def independent(path: Path) -> Facts:
    """The larger of the series in the folder: slices by their place along the normal."""
    files = [pydicom.dcmread(file) for file in sorted(path.iterdir())]
    uids = [str(file.get("SeriesInstanceUID")) for file in files]
    uid = max(uids, key=uids.count)
    slices = [file for file, its in zip(files, uids, strict=True) if its == uid]
    facts = [_geometry(one) for one in slices]
    order = np.argsort([distance for _, _, distance in facts], kind="stable")
    array = np.stack([_values(slices[n]) for n in order], axis=-1)
    affine = np.eye(4)
    affine[:3, :2] = facts[0][0]
    first, last = facts[order[0]][1], facts[order[-1]][1]
    affine[:3, 2] = (last - first) / (len(slices) - 1)
    affine[:3, 3] = first
    affine[:2] *= -1
    told = {"told": True} if len(slices) < len(files) else {}
    return {"array": array, "affine": affine, **told}


def _geometry(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, float]:
    """The in-plane axes in mm (LPS+), the position, and its distance along the normal."""
    row, column = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
    rows, columns = map(float, dataset.PixelSpacing)
    position = np.array(dataset.ImagePositionPatient, float)
    axes = np.stack([row * columns, column * rows], axis=1)
    return axes, position, float(np.cross(row, column) @ position)


def _values(dataset: Dataset) -> np.ndarray:
    stored = _stored(dataset)
    return (
        stored * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    ).T


def _stored(dataset: Dataset) -> np.ndarray:
    """The bits from HighBit down, of which pydicom knows only the lowest."""
    bits, words = dataset.BitsStored, dataset.BitsAllocated
    low = dataset.get("HighBit", bits - 1) - bits + 1
    if low == 0:
        return dataset.pixel_array.astype(float)
    if not 0 < low <= words - bits or dataset.file_meta.TransferSyntaxUID.is_compressed:
        raise ValueError(f"HighBit {low + bits - 1}")
    order = "<" if dataset.original_encoding[1] else ">"
    content = dataset.PixelData[: dataset.Rows * dataset.Columns * words // 8]
    values = np.frombuffer(content, f"{order}u{words // 8}").astype(np.int64) >> low
    values &= 2**bits - 1
    if dataset.PixelRepresentation:
        values -= (values >> (bits - 1)) << bits
    return values.reshape(dataset.Rows, dataset.Columns).astype(float)


DICOM = Target(
    name="dicom",
    corpus=corpus,
    mutate=mutate,
    ours=ours,
    independent=independent,
    place=place,
    stricter=(
        ("MemoryError", "bytes behind the last element are not read"),
        ("has no (0002,0010) 'Transfer Syntax UID'", "native pixels have the length of the header"),
        ("Missing required element: (0028,0002)", "one sample has the length of the header"),
        ("Missing required element: (0028,0004)", "grey values that are not inverted"),
        ("Unknown (0028,0004)", "as above"),
        ("Unknown Value Representation", "of an element that says nothing about voxels"),
    ),
)
