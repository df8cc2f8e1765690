"""Reading an image with all checks, beside another state of medseg: processor time.

    python -m benchmarks.reading --before DIR [--rounds 5]

DIR is a checkout of the other state, such as `git worktree add DIR REVISION`. Prints a Markdown
table for RESULTS.md: the median over the rounds, in which both states take turns, each in a process
of its own that reads once to warm up and then takes the best of three.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from numpy.typing import NDArray
from PIL import Image

from medseg.data.dicom.ct_writer import write_ct_series

HERE = Path(__file__).parents[1]
READ = """
import sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from medseg.data.images.picture import read_picture
from medseg.data.images.volume import read_volume
path = Path(sys.argv[1])
def read():
    if path.name == "pictures":
        for file in sorted(path.iterdir()):
            read_picture(file, "rgb")
    else:
        read_volume(path)
read()
taken = []
for _ in range(3):
    begun = time.process_time()
    read()
    taken.append(time.process_time() - begun)
print(min(taken))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, help="checkout of the other state")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_images(Path(folder))
        print("| read | before, s | now, s | ratio |\n|---|---|---|---|")
        for path in paths:
            rounds = [
                [seconds(path, state) for state in (options.before.resolve(), HERE)]
                for _ in range(options.rounds)
            ]
            before, now = map(statistics.median, zip(*rounds, strict=True))
            print(f"| {path.name} | {before:.3f} | {now:.3f} | {now / before:.2f} |", flush=True)


def seconds(path: Path, state: Path) -> float:
    """Processor time of one reading by the package of a checkout."""
    words = [sys.executable, "-c", READ, str(path)]
    ran = subprocess.run(
        words,
        env={**os.environ, "PYTHONPATH": str(state)},
        cwd=path.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(ran.stdout.splitlines()[-1])


def write_images(folder: Path) -> list[Path]:
    """A CT of 512 x 512 x 150 in each format, and 200 RGB pictures."""
    image = sitk.GetImageFromArray(smooth_ct())
    image.SetSpacing((0.8, 0.8, 1.0))
    for name in ("ct.nii.gz", "ct.nrrd", "ct.mha"):
        sitk.WriteImage(image, str(folder / name), useCompression=True)
    affine = np.diag([-0.8, -0.8, 1.0, 1.0])
    for name in ("dicom", "pictures"):
        (folder / name).mkdir()
    write_ct_series(folder / "dicom", smooth_ct().T, affine, case="reading")
    rng = np.random.default_rng(0)
    for number in range(200):
        pixels = rng.integers(0, 255, (224, 224, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"{number:03d}.png")
    return [folder / name for name in ("ct.nii.gz", "ct.nrrd", "ct.mha", "dicom", "pictures")]


def smooth_ct() -> NDArray[np.int16]:
    """Noise that is equal in boxes, so that it compresses like a CT."""
    coarse = np.random.default_rng(0).normal(-500, 300, (150, 128, 128)).astype(np.int16)
    return coarse.repeat(4, 1).repeat(4, 2)


if __name__ == "__main__":
    main()
