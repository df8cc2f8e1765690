"""Bundles of MONAI's model zoo under `medseg predict`: a table of what runs, and what is missing.

    python -m benchmarks.zoo_table ZOO [--write docs/how-to/monai-and-others.md]

ZOO holds the bundles' configs, without weights. Each bundle is judged; one that medseg predict can
run gets weights of seeded noise, labels a small volume of noise, and its label is compared with
that of MONAI's own `monai.bundle.run` of the same config.
"""

import argparse
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.bundle import ConfigParser, run
from PIL import Image

from medseg._quiet import quiet_libraries
from medseg.bundles.foreign.adapter import open_foreign
from medseg.bundles.foreign.fit import importable
from medseg.bundles.foreign.weights import bundle_weights
from medseg.bundles.judgement.door import judge_working
from medseg.bundles.judgement.trust import add_trust
from medseg.bundles.opened import open_configs
from medseg.data.images.picture import read_picture
from medseg.data.images.volume import read_volume
from medseg.errors import DataError, MedsegError, user_error

BEGIN, END = "<!-- zoo table: begin -->", "<!-- zoo table: end -->"
SHAPE = (24, 24, 16)
AFFINE = np.array([[-2.0, 0, 0, 50], [0, 2.5, 0, -40], [0, 0, 3.0, 10], [0, 0, 0, 1]])


def main() -> None:
    """Judge and try all, print the rows, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zoo", type=Path)
    parser.add_argument("--write", type=Path, help="a page with the markers of the table")
    parser.add_argument("--only", nargs="*", default=None)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        os.environ["MEDSEG_HOME"] = f"{place}/home"
        os.environ["MEDSEG_CACHE"] = f"{place}/cache"
        found = sorted(path.parents[1] for path in options.zoo.glob("*/configs/metadata.json"))
        rows = [
            row(bundle, Path(place))
            for bundle in found
            if bundle.name in (options.only or [bundle.name])
        ]
    table = "\n".join(
        [
            "| bundle | verdict | `medseg predict` | label against MONAI's own run |",
            "|---|---|---|---|",
            *rows,
        ]
    )
    if options.write is None:
        return
    text = options.write.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    options.write.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def row(source: Path, place: Path) -> str:
    """One row of the table."""
    bundle = place / source.name
    shutil.copytree(source, bundle)
    verdict = judge_working(bundle).judgement.verdict
    told, compared = tried(bundle, place, verdict)
    line = f"| {source.name} | {verdict} | {told.replace('|', '/')} | {compared} |"
    print(line, flush=True)
    return line


def tried(bundle: Path, place: Path, verdict: str) -> tuple[str, str]:
    """What medseg predict says, or `runs`; and how its label compares with that of MONAI."""
    if verdict == "refused":
        return "refused: no trust suffices", ""
    with suppress(Exception):
        seeded_weights(bundle)
    judged = judge_working(bundle)
    if judged.standing is None:
        add_trust(judged.judgement.digest, name=bundle.name, reason="the table of the zoo")
    image, picture = noise(place / "noise.nii.gz"), colours(place / "noise.png")
    try:
        opened = open_configs(bundle, ["inference"])
        try:
            weights = bundle_weights(opened)
        except DataError:
            # Their network cannot be built here; what is missing is what is told.
            weights = bundle / "models" / "model.safetensors"
        predictor = open_foreign(opened, weights)
        image = picture if predictor.channels == 3 else image
        source = read_picture(image) if image is picture else read_volume(image)
        ours = predictor.label(predictor.prepare(source)).array
    except MedsegError as error:
        return str(error).replace(f"{bundle}: ", "").replace(f"{place}/", ""), ""
    return "runs", agreement(ours, *monais(bundle, image, place / f"{bundle.name}_labels"))


def seeded_weights(bundle: Path) -> None:
    """Weights of seeded noise, in the maker's form."""
    parser = ConfigParser()
    parser.read_config(str(next(inference_configs(bundle))))
    parser.config = importable(parser.get())
    parser["bundle_root"] = str(bundle)
    torch.manual_seed(0)
    network = parser.get_parsed_content("network_def")
    (bundle / "models").mkdir(exist_ok=True)
    torch.save(network.state_dict(), bundle / "models" / "model.pt")


def inference_configs(bundle: Path) -> Iterator[Path]:
    """The inference configs that there are; YAML first, as medseg takes it."""
    names = (bundle / "configs" / f"inference.{end}" for end in ("yaml", "json"))
    return (path for path in names if path.is_file())


def noise(path: Path) -> Path:
    """A small volume of smooth noise."""
    steps = np.random.default_rng(0).normal(0, 10, SHAPE)
    smooth = steps.cumsum(0).cumsum(1).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(smooth, AFFINE), path)
    return path


def colours(path: Path) -> Path:
    """A small picture of noise."""
    steps = np.random.default_rng(0).normal(0, 40, (64, 96, 3))
    smooth = (steps.cumsum(0).cumsum(1) % 256).astype(np.uint8)
    Image.fromarray(smooth).save(path)
    return path


def monais(bundle: Path, image: Path, output: Path) -> tuple[np.ndarray | None, str]:
    """The label of MONAI's own run, or why there is none."""
    config = next(inference_configs(bundle))
    run_id = (
        "run" if '"run"' in config.read_text() or "\nrun:" in config.read_text() else "evaluating"
    )
    changes = {
        "bundle_root": str(bundle),
        "dataset_dir": str(image.parent),
        "dataset#data": [{"image": str(image)}],
        "dataloader#num_workers": 0,
        "output_dir": str(output),
    }
    try:
        with quiet_libraries():
            run(run_id, config_file=str(config), logging_file=False, **changes)
    except Exception as error:
        known = user_error(error) or error
        return None, f"MONAI's own run fails ({type(known).__name__})"
    written = sorted((*output.rglob("*.nii.gz"), *output.rglob("*.png")))
    if not written:
        return None, "MONAI's own run writes no file"
    if written[0].suffix == ".png":
        return (np.asarray(Image.open(written[0])) > 0).astype(np.uint8), ""
    return np.asarray(nibabel.load(written[0]).dataobj).squeeze(), ""


def agreement(ours: np.ndarray, theirs: np.ndarray | None, why: str) -> str:
    """How many voxels are equal."""
    if theirs is None:
        return why
    if ours.shape != theirs.shape:
        return f"shapes differ: {ours.shape}, {theirs.shape}"
    equal = float((ours == theirs).mean())
    return "equal" if equal == 1 else f"{equal:.4%} of voxels equal"


if __name__ == "__main__":
    main()
