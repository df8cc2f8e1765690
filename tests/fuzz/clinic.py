"""Labels from a clinic: tags and bytes of a SEG and an RTSTRUCT beside their series."""

import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from medseg.data import write_dicom_seg
from medseg.data.images.picture import read_label
from medseg.data.label_source import LabelSource
from tests.data.dicom.labels.builders import SHAPE, a_clinic, a_label, square
from tests.fuzz.mutation import mutate_bytes, odd_number
from tests.fuzz.target import Facts, Target

__all__ = ["RTSTRUCT", "SEG"]

_CLASSES = ("background", "lung", "small_tumour", "rib")
_TEXTS = ("", "0", "-1", "1e30", "1e300", "nan", "1,5", "abc", "1\\2", "1\\2\\3", "FRACTIONAL", "ü")


@cache
def made() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of a series, and the two labels of it."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        clinic = a_clinic(Path(name))
        rois = {"lung": [square(2.5, 9.5, k) for k in (2, 3, 4)], "rib": [square(0.5, 4.5, 3)]}
        array = np.zeros(SHAPE, np.uint8)
        array[3:9, 3:9, 2:6], array[5:7, 5:7, 3] = 1, 2
        write_dicom_seg(a_label(clinic, array), clinic.folder / "seg.dcm")
        labels = {"seg": clinic.folder / "seg.dcm", "rtstruct": clinic.structures(rois)}
        series = {path.name: path.read_bytes() for path in sorted(clinic.image.iterdir())}
        return series, {name: path.read_bytes() for name, path in labels.items()}


def corpus_of(name: str) -> Callable[[], Mapping[str, bytes]]:
    return lambda: {f"{name}.dcm": made()[1][name]}


def mutate(rng: Random, data: bytes) -> bytes:
    if rng.random() < 0.4:
        return mutate_bytes(rng, data, head=len(data))
    dataset = pydicom.dcmread(io.BytesIO(data))
    for _ in range(rng.randint(1, 2)):
        _set_element(rng, dataset)
    out = io.BytesIO()
    try:
        pydicom.dcmwrite(out, dataset)
    # pydicom refuses to write some of what others write.
    except Exception:
        return mutate_bytes(rng, data, head=len(data))
    return out.getvalue()


def _set_element(rng: Random, dataset: Dataset) -> None:
    """Change an element at any depth."""
    holders = [dataset, *_items(dataset)]
    holder = rng.choice([one for one in holders if len(one)])
    element = rng.choice([one for one in holder if one.tag != 0x7FE00010])
    if rng.random() < 0.2:
        del holder[element.tag]
    elif element.VR == "US":
        element._value = rng.choice((odd_number(rng) % 65536, 8, 1, 0))
    elif element.VR in ("DS", "IS", "CS", "UI", "LO", "SH"):
        element._value = rng.choice(_TEXTS)


def _items(dataset: Dataset):
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _items(item)


def place(folder: Path, name: str, data: bytes) -> Path:
    (folder / "ct").mkdir()
    for file, content in made()[0].items():
        (folder / "ct" / file).write_bytes(content)
    (folder / name).write_bytes(data)
    return folder / name


def ours(path: Path) -> Facts:
    label = read_label(LabelSource(path, path.parent / "ct", _CLASSES))
    return {"array": label.array, "affine": label.affine, "told": bool(label.doubts)}


SEG, RTSTRUCT = (
    Target(name=name, corpus=corpus_of(name), mutate=mutate, ours=ours, place=place)
    for name in ("seg", "rtstruct")
)
