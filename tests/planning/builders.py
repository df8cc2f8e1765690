"""Facts and small data sets to plan from."""

from itertools import product

import nibabel
import numpy as np
from PIL import Image

from medseg.planning.fingerprint.case_facts import QUANTILES
from medseg.planning.fingerprint.set_facts import ClassSummary, SetFacts


def one_class(name="tumour", **changes):
    content = {
        "name": name,
        "cases": 20,
        "share": 0.02,
        "volume": 30_000.0,
        "parts": 1.0,
        "sizes": (500.0,) * len(QUANTILES),
        "extent": (30.0, 30.0, 30.0),
        "thickness": 15.0,
        "centres": (0.5,) * 20,
    }
    return ClassSummary(**{**content, **changes})


def facts(**changes):
    """Twenty CTs of a tumour, at 1 mm."""
    content = {
        "cases": 20,
        "patients": 20,
        "modality": "CT",
        "unit": "HU",
        "channels": 1,
        "label_kind": "classes",
        "kind": "volume",
        "colour": "grey",
        "shape": (100, 100, 60),
        "volume": 600_000.0,
        "spacing": (1.0, 1.0, 1.0),
        "spacing_low": (1.0, 1.0, 1.0),
        "box": (40.0, 40.0, 40.0),
        "inside": tuple(float(q) for q in QUANTILES),
        "outside": tuple(10.0 * q - 500 for q in QUANTILES),
        "zeros": 0.0,
        "dark": 0.1,
        "covered": 0.02,
        "classes": (one_class(),),
        "touching": 0.0,
        "holes": 0.0,
    }
    return SetFacts(**{**content, **changes})


def write_volumes(folder, cases=6, shape=(24, 22, 20), spacing=(2.0, 2.0, 2.0), values=(1,)):
    """Balls in noise: `images/cN.nii.gz` and `labels/cN.nii.gz`."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    affine = np.diag([*spacing, 1.0])
    for number in range(cases):
        write_volume(folder, f"c{number}", shape, affine, values, seed=number)
    return str(folder / "images" / "*"), str(folder / "labels" / "*")


def write_volume(folder, name, shape, affine, values, seed=0):
    rng = np.random.default_rng(seed)
    places = np.indices(shape)
    label = np.zeros(shape, dtype=np.uint8)
    for index, value in enumerate(values):
        centre = [n * (0.35 + 0.3 * index) for n in shape]
        reach = sum((x - c) ** 2 for x, c in zip(places, centre, strict=True))
        label[reach < (3 + index + seed % 2) ** 2] = value
    image = 100.0 * (label > 0) + rng.normal(0, 20, shape) + 40
    for part, array in (("images", image.astype(np.int16)), ("labels", label)):
        nibabel.save(nibabel.Nifti1Image(array, affine), folder / part / f"{name}.nii.gz")


def write_pictures(folder, cases=6, size=96, kind="instances"):
    """Discs of radius 6 on a grid, some of which touch; numbered, or a mask of 0 and 255."""
    for part in ("image", "label"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rows, columns = np.indices((size, size))
    for number in range(cases):
        rng = np.random.default_rng(number)
        label = np.zeros((size, size), dtype=np.uint16)
        for count, (row, column) in enumerate(product(range(14, size - 8, 20), repeat=2), 1):
            label[(rows - row) ** 2 + (columns - column - count % 3) ** 2 <= 36] = count
        image = np.clip(60 + 120 * (label > 0) + rng.normal(0, 10, label.shape), 0, 255)
        Image.fromarray(image.astype(np.uint8)).save(folder / "image" / f"p{number}.png")
        drawn = label if kind == "instances" else 255 * (label > 0).astype(np.uint8)
        Image.fromarray(drawn).save(folder / "label" / f"p{number}.png")
    return str(folder / "image" / "*.png"), str(folder / "label" / "*.png")
