"""NRRD and MetaImage: text headers and bytes, held against SimpleITK."""

import tempfile
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import SimpleITK

from tests.fuzz.mutation import mutate_bytes, mutate_text
from tests.fuzz.nifti import ours
from tests.fuzz.target import Facts, Target

_NRRD = (
    "short", "uint8", "float", "double", "int64", "block", "gzip", "bzip2", "raw", "hex", "txt", "little",
    "big", "left-posterior-superior", "right-anterior-superior", "scanner-xyz", "none", "domain", "list",
    "vector", "sizes", "dimension", "byteskip", "lineskip", "spacings", "cell", "node",
)  # fmt: skip
_META = (
    "MET_SHORT", "MET_UCHAR", "MET_FLOAT", "MET_DOUBLE", "MET_LONG", "MET_LONG_LONG", "True", "False", "RAI", "LPS",
    "LOCAL", "HeaderSize", "ElementNumberOfChannels", "CompressedDataSize", "BinaryDataByteOrderMSB", "NDims",
)  # fmt: skip
_SIZES = (5, 4, 3)


def _image(dtype: str) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(
        np.random.default_rng(0).integers(0, 100, _SIZES[::-1]).astype(dtype)
    )
    image.SetSpacing((0.5, 0.75, 2.0))
    image.SetOrigin((-10, 20, 30))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    return image


def _written(suffix: str) -> dict[str, bytes]:
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ("uint8", "int16", "float32", "float64"):
            for packed in (False, True):
                name = f"{dtype}{'_packed' if packed else ''}{suffix}"
                SimpleITK.WriteImage(_image(dtype), str(Path(folder, name)), packed)
                made[name] = Path(folder, name).read_bytes()
    return made


@cache
def nrrd_corpus() -> dict[str, bytes]:
    return _written(".nrrd")


@cache
def meta_corpus() -> dict[str, bytes]:
    return _written(".mha")


def _mutate(rng: Random, data: bytes, end: bytes, words: tuple[str, ...]) -> bytes:
    """Two in three in the header, up to the line that ends it."""
    at = data.find(end) + len(end)
    if rng.random() < 0.3 or at < len(end):
        return mutate_bytes(rng, data, head=max(at, 1))
    return mutate_text(rng, data[:at], words=words) + data[at:]


def mutate_nrrd(rng: Random, data: bytes) -> bytes:
    return _mutate(rng, data, b"\n\n", _NRRD)


def mutate_meta(rng: Random, data: bytes) -> bytes:
    return _mutate(rng, data, b"ElementDataFile = LOCAL\n", _META)


def independent(path: Path) -> Facts:
    image = SimpleITK.ReadImage(str(path))
    array = SimpleITK.GetArrayFromImage(image).T
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise ValueError("several channels")
    axes = image.GetDimension()
    affine = np.eye(4)
    directions = np.array(image.GetDirection()).reshape(axes, axes)[:3, :3]
    affine[:3, :3] = directions * image.GetSpacing()[:3]
    affine[:3, 3] = image.GetOrigin()[:3]
    # LPS+ to RAS+.
    affine[:2] *= -1
    return {"array": array[..., 0] if axes == 4 else array, "affine": affine}


def independent_meta(path: Path) -> Facts:
    """As above; ITK reads other bytes of a stream whose length is misstated, without a word."""
    data = path.read_bytes()
    if b"CompressedData = True" in data:
        start = data.find(b"ElementDataFile = LOCAL\n") + len(b"ElementDataFile = LOCAL\n")
        if b"\nCompressedDataSize = %d\n" % (len(data) - start) not in data:
            raise ValueError("another length of the stream")
    return independent(path)


NRRD = Target(
    name="nrrd",
    corpus=nrrd_corpus,
    mutate=mutate_nrrd,
    ours=ours,
    independent=independent,
    stricter=(
        ("don't yet have a valid", "fields say the same in any order"),
        ("failed to parse", "blanks around a name, and capital letters"),
        ('didn\'t see ": "', "a colon without a blank after it"),
    ),
)
META = Target(
    name="mha",
    corpus=meta_corpus,
    mutate=mutate_meta,
    ours=ours,
    independent=independent_meta,
    stricter=(
        ("another length of the stream", "what it unpacks to has zlib's checksum"),
        ("No such file or directory", "fields say the same in any order"),
        ("Numerical result out of range", "CenterOfRotation is not used"),
        ("Unable to determine ImageIO", "ObjectType is not used; the suffix says what it is"),
    ),
)
