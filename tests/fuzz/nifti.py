"""NIfTI: header fields at the ends of their types, and bytes; held against nibabel."""

import gzip
import struct
from functools import cache
from pathlib import Path
from random import Random

import nibabel as nib
import numpy as np

from medseg.data.images.volume import read_volume
from tests.fuzz.mutation import mutate_bytes, odd_number
from tests.fuzz.target import Facts, Target

_FIELDS = nib.Nifti1Header().structarr.dtype.fields
_AFFINE = np.array([[-1.5, 0.1, 0, 10], [0.1, 1.5, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1]])


@cache
def corpus() -> dict[str, bytes]:
    """Integers and floats, scaled or not, of both byte orders, compressed or not."""
    random = np.random.default_rng(0)
    made = {}
    for name, dtype in [
        ("u8", "u1"),
        ("i16", "<i2"),
        ("b16", ">i2"),
        ("f32", "<f4"),
        ("f64", "<f8"),
    ]:
        values = random.integers(0, 100, (5, 4, 3)).astype(dtype)
        order = "big" if dtype[0] == ">" else "little"
        image = nib.Nifti1Image(
            values,
            _AFFINE,
            nib.Nifti1Header(endianness=order[0].replace("l", "<").replace("b", ">")),
        )
        image.set_data_dtype(values.dtype)
        if name == "i16":
            image.header.set_slope_inter(2, -10)
        made[f"{name}.nii"] = image.to_bytes()
    four = nib.Nifti1Image(random.integers(0, 9, (3, 4, 5, 1)).astype("i2"), _AFFINE)
    made["four.nii"] = four.to_bytes()
    made["two.nii"] = nib.Nifti2Image(
        random.integers(0, 9, (3, 4, 5)).astype("i2"), _AFFINE
    ).to_bytes()
    for name in ("u8", "f32"):
        made[f"{name}.nii.gz"] = gzip.compress(made[f"{name}.nii"], mtime=0)
    return made


def mutate(rng: Random, data: bytes) -> bytes:
    if data[:2] == b"\x1f\x8b":
        if rng.random() < 0.3:
            return mutate_bytes(rng, data, head=20)
        return gzip.compress(mutate(rng, gzip.decompress(data)), mtime=0)
    if rng.random() < 0.3:
        return mutate_bytes(rng, data, head=352)
    changed = bytearray(data)
    for _ in range(rng.randint(1, 2)):
        _set_field(rng, changed)
    return bytes(changed)


def _set_field(rng: Random, data: bytearray) -> None:
    dtype, at = _FIELDS[rng.choice(list(_FIELDS))][:2]
    size = dtype.base.itemsize
    at += size * rng.randrange(max(1, dtype.itemsize // size))
    order = "<" if data[0] == 92 else ">"
    if dtype.base.kind == "f":
        value = rng.choice(
            (0, 1, -1, 0.01, 1e-30, 1e30, 2, float("nan"), float("inf"), rng.uniform(-3, 3))
        )
        data[at : at + 4] = struct.pack(order + "f", value)
    elif dtype.base.kind in "iu":
        number = rng.choice(
            (odd_number(rng), rng.randrange(20), rng.choice((2, 4, 8, 16, 64, 256, 512, 768)))
        )
        data[at : at + size] = (number % 256**size).to_bytes(
            size, "little" if order == "<" else "big"
        )
    else:
        data[at : at + size] = bytes(rng.randrange(256) for _ in range(size))


def ours(path: Path) -> Facts:
    volume = read_volume(path)
    return {"array": volume.array, "affine": volume.affine}


def independent(path: Path) -> Facts:
    image = nib.load(path)
    array = np.asanyarray(image.dataobj)
    return {"array": array[..., 0] if array.ndim == 4 else array, "affine": image.affine}


NIFTI = Target(name="nifti", corpus=corpus, mutate=mutate, ours=ours, independent=independent)
