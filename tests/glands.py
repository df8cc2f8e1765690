"""Drawn glands of two tissue classes: a data set of eight small pictures with its manifest."""

from pathlib import Path

import numpy as np
from PIL import Image

from medseg.data import Case, Channel, Label, Manifest, save_manifest

SIZE = 64


def _draw(folder: Path, number: int, group: str) -> dict[str, str]:
    """A gland, dark violet on pink, and its mask."""
    chance = np.random.default_rng(number)
    rows, columns = np.indices((SIZE, SIZE))
    centre, radius = chance.uniform(24, 40, 2), chance.uniform(10, 20)
    gland = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
    colours = np.where(gland[..., None], [120, 60, 140], [230, 170, 200])
    image = (colours + chance.integers(-15, 15, colours.shape)).astype(np.uint8)
    files = {"image": image, "label": (255 * gland).astype(np.uint8)}
    paths = {key: f"{group}/{key}/{number}.png" for key in files}
    for key, array in files.items():
        (folder / paths[key]).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(folder / paths[key])
    return paths


def write_glands(folder: Path) -> None:
    """Six pictures in two folds and two for testing, with their manifest."""
    groups = ["polyp", "polyp", "adenoma", "polyp", "polyp", "adenoma", "polyp", "adenoma"]
    cases = [
        Case(
            case=f"{group}_{number}",
            patient=str(number),
            **_draw(folder, number, group),
            fold=number % 2 if number < 6 else None,
            group=group,
        )
        for number, group in enumerate(groups)
    ]
    manifest = Manifest(
        name="glands",
        description="Drawn glands",
        source="made for a test",
        licence="CC0-1.0",
        citation="none",
        modality="histology",
        channels=tuple(Channel(name=name, unit="8 bit") for name in ("red", "green", "blue")),
        labels=(Label(value=0, name="background"), Label(value=1, name="gland_or_lesion")),
        label_kind="mask",
        training=tuple(cases[:6]),
        test=tuple(cases[6:]),
    )
    save_manifest(manifest, folder / "manifest.json")
