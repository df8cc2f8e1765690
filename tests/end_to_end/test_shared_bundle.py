"""A bundle packed here is of use elsewhere: the wheel of medseg, a zip, and no repository.

The environment is a fresh one with the wheel alone; what medseg needs is taken from the one that
runs the tests, as nothing is downloaded. Its folder has spaces and letters of several scripts.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from medseg.sharing.golden.golden import read_golden
from medseg.sharing.layout import CASE
from medseg.sharing.packing.pack import PackChoices, pack_bundle
from medseg.sharing.packing.plain_zip import zip_bytes
from tests.conftest import BUNDLE, REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NAME = BUNDLE.name


class Elsewhere:
    """A machine with only the wheel: a folder, a Python, and a zip in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "umgebung" / "bin" / "python"
        self.zip = folder / "Bündel von Müller 共有.zip"

    def run(self, *arguments: object, code: int = 0) -> str:
        """Run Python; its output and errors."""
        unwanted = ("PYTHONPATH", "MEDSEG_DATA", "PYTHONHOME")
        env = {name: value for name, value in os.environ.items() if name not in unwanted}
        done = subprocess.run(
            [self.python, "-W", "ignore", *map(str, arguments)],
            cwd=self.folder,
            env={
                **env,
                "MEDSEG_HOME": str(self.folder / "home"),
                "MEDSEG_CACHE": str(self.folder / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def medseg(self, *arguments: object, code: int = 0) -> str:
        """Run the command line."""
        line = "from medseg.cli.main import main; main()"
        return self.run("-c", line, *arguments, code=code)

    def label(self, folder: str) -> np.ndarray:
        """The only label in a folder."""
        (path,) = (self.folder / folder).glob("*_seg.nii.gz")
        return np.asarray(nibabel.load(path).dataobj)


def wheel(folder: Path) -> Path:
    source = folder / "source"
    # Not in the repository, where a build would leave its folders.
    shutil.copytree(REPOSITORY / "medseg", source / "medseg",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", str(folder), str(source)], check=True, capture_output=True)
    (found,) = folder.glob("medseg-*.whl")
    shutil.rmtree(source)
    return found


def environment(folder: Path) -> Path:
    """A fresh environment with all that medseg needs, and without it; its site-packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = folder / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    # Behind what is installed there, and without its own .pth files: medseg is not found in it.
    (site / "needed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return site


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Elsewhere:
    packed = pack_bundle(BUNDLE, PackChoices())
    folder = tmp_path_factory.mktemp("w") / "Klinik für Ödeme Ωμέγα 病院"
    folder.mkdir()
    machine = Elsewhere(folder)
    site = environment(folder / "umgebung")
    with zipfile.ZipFile(wheel(folder)) as archive:
        archive.extractall(site)
    machine.zip.write_bytes(zip_bytes(packed.in_one_folder))
    image = packed.files["golden/image.nii.gz"]
    (folder / "scans").mkdir()
    (folder / "scans" / "Aufnahme 1.nii.gz").write_bytes(image)
    return machine


@pytest.fixture(scope="module")
def expected(elsewhere) -> np.ndarray:
    with zipfile.ZipFile(elsewhere.zip) as archive:
        case = read_golden(archive.read(f"{NAME}/{CASE}"), "zip")
        content = archive.read(f"{NAME}/golden/{case.label}")
        archive.extractall(elsewhere.folder / "unpacked here")
    label = elsewhere.folder / "expected.nii.gz"
    label.write_bytes(content)
    return np.asarray(nibabel.load(label).dataobj)


def agree(label: np.ndarray, expected: np.ndarray) -> bool:
    # Engines differ in a few undecided voxels.
    return label.shape == expected.shape and float(np.mean(label == expected)) > 0.995


def test_the_environment_has_the_wheel_and_not_the_repository(elsewhere):
    where = elsewhere.run("-c", "import medseg; print(medseg.__file__)")
    assert where.startswith(str(elsewhere.folder / "umgebung"))
    assert str(REPOSITORY) not in elsewhere.run("-c", "import sys; print(sys.path[:-1])")


def test_it_is_inspected_signed_verified_tested_installed_and_predicts_by_its_name(
    elsewhere, expected
):
    assert "safe" in elsewhere.medseg("bundle", "inspect", elsewhere.zip)
    elsewhere.medseg("bundle", "keys", "new", "radiology")
    elsewhere.medseg("bundle", "sign", elsewhere.zip, "--key", "radiology.key")
    verified = elsewhere.medseg("bundle", "verify", elsewhere.zip, "--signed-by", "radiology")
    assert "complete" in verified
    tested = json.loads(
        elsewhere.medseg("bundle", "test", elsewhere.zip, "--engine", "torch", "--json")
    )
    assert tested
    elsewhere.medseg("bundle", "install", elsewhere.zip)
    elsewhere.zip.rename(elsewhere.zip.with_suffix(".moved"))
    try:
        elsewhere.medseg("predict", NAME, "scans", "-o", "by name")
    finally:
        elsewhere.zip.with_suffix(".moved").rename(elsewhere.zip)
    assert agree(elsewhere.label("by name"), expected)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_plain_monai_runs_it(suffix, elsewhere, expected):
    config = elsewhere.folder / "unpacked here" / NAME / "configs" / f"inference.{suffix}"
    elsewhere.run(
        *("-m", "monai.bundle", "run", "inferring", "--config_file", config),
        *("--dataset_dir", elsewhere.folder / "scans"),
        *("--output_dir", elsewhere.folder / f"out {suffix}"),
    )
    assert agree(elsewhere.label(f"out {suffix}"), expected)


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_monai_load_gives_the_network_with_every_weight(kind, elsewhere, expected):
    code = (
        "import sys, torch\n"
        "from monai.bundle import load\n"
        "from safetensors.torch import load_file\n"
        "folder, name, kind = sys.argv[1:]\n"
        "network = load(name, bundle_dir=folder, workflow_type=kind, device='cpu')\n"
        "weights = load_file(f'{folder}/{name}/models/model.safetensors')\n"
        "state = network.state_dict()\n"
        "assert state.keys() == weights.keys()\n"
        "assert all(torch.equal(state[key], weights[key].float()) for key in weights)\n"
        "print('every weight', type(network).__name__)\n"
    )
    told = elsewhere.run("-c", code, elsewhere.folder / "unpacked here", NAME, kind)
    assert "every weight UNet" in told


@pytest.mark.parametrize("run_id", ["inferring", "training"])
def test_a_missing_medseg_is_one_line_under_plain_monai(run_id, elsewhere, expected):
    bare = Elsewhere(elsewhere.folder)
    bare.python = elsewhere.folder / "ohne" / "bin" / "python"
    environment(elsewhere.folder / "ohne")
    config = {"inferring": "inference.yaml", "training": "train.json"}[run_id]
    told = bare.run(
        *("-m", "monai.bundle", "run", run_id, "--config_file"),
        elsewhere.folder / "unpacked here" / NAME / "configs" / config,
        code=1,
    )
    assert "Traceback" not in told
    assert told.splitlines()[-1] == "this bundle needs the package medseg, see docs/README.md"
