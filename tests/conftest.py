"""What every test shares: one Hypothesis profile, and the way to the real images.

torch's first call is slow and CI must not flake, hence no deadline and no chance.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).parents[1]
BESIDE = REPOSITORY.parent / "shared" / "data"

settings.register_profile("medseg", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("medseg")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images, or a skip that says what is missing."""
    folder = Path(os.environ.get("MEDSEG_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip(f"no real images: MEDSEG_DATA is unset and {folder} is not there")
    return folder
