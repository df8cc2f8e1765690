"""All targets, by name."""

from tests.fuzz.itk import META, NRRD
from tests.fuzz.nifti import NIFTI
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

TARGETS: dict[str, Target] = {target.name: target for target in (NIFTI, NRRD, META)}
