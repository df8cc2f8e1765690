"""Data sets of the comparison at equal time: which cases train, which are for the test alone.

A tool sees the training cases only: `train/images`, `train/labels`, in which it holds out what it
likes. `test/images` and `test/labels` are for the score. Files are links, but for the nuclei, whose
instance labels become 0 and 1.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["SETS", "DataSet", "lay_out"]

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set of the comparison.

    Attributes:
        name: Short name.
        ending: Of its files.
        class_names: One for each label value, the background's first.
        modality: As `medseg plan` takes it.
        channels: Names of the channels, as nnU-Net takes them.
        nnunet: Its configuration and memory target in GB there, for a batch of two on a CPU.
        cases: Image, label and whether it is a test case, by name of the case.
    """

    name: str
    ending: str
    class_names: tuple[str, ...]
    modality: str
    channels: tuple[str, ...]
    nnunet: tuple[str, float]
    cases: Callable[[Path], Mapping[str, tuple[Path, Path, bool]]]


def lay_out(data_set: DataSet, data: Path, folder: Path) -> Path:
    """Write the folders of a data set, once; returns `folder`."""
    done = folder / "done.json"
    if done.is_file():
        return folder
    cases = data_set.cases(data)
    for part in ("train", "test"):
        for kind in ("images", "labels"):
            (folder / part / kind).mkdir(parents=True, exist_ok=True)
    for case, (image, label, is_test) in cases.items():
        part = folder / ("test" if is_test else "train")
        _link(part / "images" / f"{case}{data_set.ending}", image)
        if data_set.ending == ".png":
            values = np.asarray(Image.open(label)) > 0
            Image.fromarray(values.astype(np.uint8)).save(part / "labels" / f"{case}.png")
        else:
            _link(part / "labels" / f"{case}{data_set.ending}", label)
    tests = sorted(case for case, (_, _, is_test) in cases.items() if is_test)
    done.write_text(json.dumps({"test": tests}), encoding="utf-8")
    return folder


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target.resolve())


def _hippocampus(data: Path) -> dict[str, tuple[Path, Path, bool]]:
    """Fold 0 of the bundle's manifest is for the test."""
    folder = data / "mri" / "hippocampus"
    text = (REPOSITORY / "data_manifests" / "msd_hippocampus.json").read_text(encoding="utf-8")
    return {
        case["case"]: (folder / case["image"], folder / case["label"], case["fold"] == 0)
        for case in json.loads(text)["training"]
    }


def _sarcoma_pet(data: Path) -> dict[str, tuple[Path, Path, bool]]:
    """Every fourth patient, of those with small tumours, who have a CT, and of the others."""
    folders = sorted((data / "sarcoma_ct_mr_pet").glob("STS_*"))
    small = [folder for folder in folders if (folder / "CT_image.nii.gz").is_file()]
    large = [folder for folder in folders if folder not in small]
    tests = {*small[::4], *large[::4]}
    return {
        folder.name: (folder / "PET_image.nii.gz", folder / "PET_mask.nii.gz", folder in tests)
        for folder in folders
    }


def _nuclei(data: Path) -> dict[str, tuple[Path, Path, bool]]:
    """Every fourth mosaic of each group: tiles of one mosaic stay together."""
    folder = data / "microscopy" / "dsb2018-nuclei"
    lines = (folder / "groups.tsv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(lines, delimiter="\t"))
    mosaics: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["mosaic"]):
        if row["mosaic"] not in mosaics[row["group"]]:
            mosaics[row["group"]].append(row["mosaic"])
    tests = {mosaic for names in mosaics.values() for mosaic in _every_fourth(names)}
    return {
        row["id"]: (
            folder / "image" / f"{row['id']}.png",
            folder / "label" / f"{row['id']}.png",
            row["mosaic"] in tests,
        )
        for row in rows
    }


def _every_fourth(names: Sequence[str]) -> Sequence[str]:
    # A group of one field stays in the training.
    return names[1::4]


SETS = {
    one.name: one
    for one in (
        DataSet(
            name="hippocampus",
            ending=".nii.gz",
            class_names=("background", "anterior_hippocampus", "posterior_hippocampus"),
            modality="MR",
            channels=("MR",),
            nnunet=("3d_fullres", 2.0),
            cases=_hippocampus,
        ),
        DataSet(
            name="sarcoma_pet",
            ending=".nii.gz",
            class_names=("background", "tumour"),
            modality="PT",
            channels=("PET",),
            nnunet=("3d_fullres", 2.0),
            cases=_sarcoma_pet,
        ),
        DataSet(
            name="nuclei",
            ending=".png",
            class_names=("background", "nucleus"),
            modality="microscopy",
            channels=("R", "G", "B"),
            nnunet=("2d", 1.0),
            cases=_nuclei,
        ),
    )
}
