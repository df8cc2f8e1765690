"""All targets, by name."""

from tests.fuzz.clinic import RTSTRUCT, SEG
from tests.fuzz.dicom import DICOM
from tests.fuzz.itk import META, NRRD
from tests.fuzz.ledger import LEDGER
from tests.fuzz.nifti import NIFTI
from tests.fuzz.pictures import PNG, TIFF
from tests.fuzz.target import Target
from tests.fuzz.texts import CONFIG, MANIFEST, METADATA
from tests.fuzz.weights import WEIGHTS

__all__ = ["TARGETS"]

_OF_IMAGES = (NIFTI, NRRD, META, DICOM, SEG, RTSTRUCT, PNG, TIFF)
_ALL = (*_OF_IMAGES, WEIGHTS, MANIFEST, METADATA, CONFIG, LEDGER)
TARGETS: dict[str, Target] = {target.name: target for target in _ALL}
