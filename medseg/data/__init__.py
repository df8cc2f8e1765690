"""Data: manifests, folds, phantoms, and checks of the user's images."""

from medseg.data.check import check_dataset
from medseg.data.draws import Draw, RandomDraws
from medseg.data.facts import CaseReport, DatasetReport
from medseg.data.folds import deal_folds
from medseg.data.inputs import (
    find_manifest,
    intensity_window,
    list_images,
    require_classes,
    require_usable,
)
from medseg.data.intake import check_image, check_pair
from medseg.data.manifest import (
    Case,
    Channel,
    Label,
    Manifest,
    datalist,
    load_manifest,
    save_manifest,
)
from medseg.data.phantom_writer import PhantomSet, write_phantoms
from medseg.data.problems import InputError, Problem
from medseg.data.volume import Volume, read_volume

__all__ = [
    "Case",
    "CaseReport",
    "Channel",
    "DatasetReport",
    "Draw",
    "InputError",
    "Label",
    "Manifest",
    "PhantomSet",
    "Problem",
    "RandomDraws",
    "Volume",
    "check_dataset",
    "check_image",
    "check_pair",
    "datalist",
    "deal_folds",
    "find_manifest",
    "intensity_window",
    "list_images",
    "load_manifest",
    "read_volume",
    "require_classes",
    "require_usable",
    "save_manifest",
    "write_phantoms",
]
