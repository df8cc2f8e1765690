"""What every test shares: one Hypothesis profile, the real images, a trained bundle.

torch's first call is slow and CI must not flake, hence no deadline and no chance.
"""

import logging
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from absl import logging as absl_logging  # TensorBoard's
from hypothesis import settings

REPOSITORY = Path(__file__).parents[1]

# Volumes of tests are tiny: a second thread costs more than it gives. The variable is for
# the processes that tests start.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"

# When logging is configured anew, absl closes the stream that its handler began with, unless it is
# the process's own: pytest's capture, if TensorBoard is first imported in a test.
absl_logging.get_absl_handler().python_handler.setStream(sys.__stderr__)
BESIDE = REPOSITORY.parent / "shared" / "data"
BUNDLE = REPOSITORY / "bundles" / "covid_lung_ct_unet3d"

# Small enough that a whole training takes seconds.
SMALL = {
    "spacing_mm": [8.0, 8.0, 12.0],
    "patch_size": [32, 32, 16],
    "network_def#first_width": 4,
    "network_def#depth": 3,
    "epochs": 2,
    "iterations_per_epoch": 4,
    "val_interval": 1,
}

settings.register_profile("medseg", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("medseg")


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory):
    """Converted networks, prepared cases, installed bundles and trust go where pytest cleans up."""
    os.environ["MEDSEG_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["MEDSEG_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
    """The root logger is left as it was found: MONAI's runner configures it for the process."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    done = yield
    root.setLevel(level)
    root.handlers[:] = handlers
    return done


@pytest.fixture(autouse=True)
def _gpu(request):
    """A skip that says what is missing, for tests marked `cuda`."""
    if request.node.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU on this machine")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images, or a skip that says what is missing."""
    folder = Path(os.environ.get("MEDSEG_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip(f"no real images: MEDSEG_DATA is unset and {folder} is not there")
    return folder


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory) -> Path:
    # Here, as below, so that tests without phantoms run where little is installed: `make gpu`.
    from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms

    folder = tmp_path_factory.mktemp("phantoms") / "set"
    write_phantoms(folder, PhantomSet(cases=4, test_cases=1, folds=3, shape=(40, 32, 24)))
    return folder


@pytest.fixture(scope="session")
def trained(phantoms, tmp_path_factory) -> Path:
    """A copy of the bundle with its weights and its metrics."""
    from medseg.bundles import run_bundle

    bundle = tmp_path_factory.mktemp("bundle") / BUNDLE.name
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models", "eval"))
    run_bundle(
        bundle,
        configs=["train"],
        run_id="training",
        overrides={"dataset_dir": str(phantoms), "ckpt_dir": str(bundle / "models"), **SMALL},
    )
    return bundle
