"""Data: images, DICOM, manifests, cached training cases, phantoms."""

from typing import TYPE_CHECKING

from medseg.data.cases.balance import balanced_weights
from medseg.data.cases.dataset import CaseDataset
from medseg.data.cases.draws import Draw, RandomDraws
from medseg.data.channel import Channel, Statistics
from medseg.data.datasets.check import check_dataset
from medseg.data.datasets.facts import CaseReport, DatasetReport
from medseg.data.datasets.folds import deal_folds
from medseg.data.datasets.inputs import (
    find_manifest,
    intensity_window,
    list_images,
    require_classes,
    require_usable,
)
from medseg.data.datasets.intake import check_image, check_pair
from medseg.data.datasets.statistics import intensity_statistics
from medseg.data.dicom.choice import (
    choose_series,
    dicom_reference,
    pick_input,
    require_modality,
    split_reference,
)
from medseg.data.dicom.find import DicomSeries, find_dicom_series
from medseg.data.dicom.input import is_dicom
from medseg.data.dicom.label import Algorithm, DicomLabel
from medseg.data.dicom.outputs import dicom_output_path, write_dicom_outputs
from medseg.data.dicom.seg import write_dicom_seg
from medseg.data.dicom.series import DicomFacts, DicomVolume, read_dicom_series
from medseg.data.dicom.sr import write_dicom_sr
from medseg.data.images.picture import Picture, read_image
from medseg.data.images.raster import read_raster
from medseg.data.images.volume import Volume, read_volume
from medseg.data.manifest import (
    Case,
    Label,
    Manifest,
    datalist,
    load_manifest,
    save_manifest,
)
from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
from medseg.data.phantoms.fat.writer import FatPhantomSet, write_fat_phantoms
from medseg.data.problems import InputError, Problem

if TYPE_CHECKING:
    from medseg.data.images.dicom_reader import DicomSeriesReader
    from medseg.data.images.raster_reader import RasterReader
    from medseg.data.images.volume_reader import VolumeReader

__all__ = [
    "Algorithm",
    "Case",
    "CaseDataset",
    "CaseReport",
    "Channel",
    "DatasetReport",
    "DicomFacts",
    "DicomLabel",
    "DicomSeries",
    "DicomSeriesReader",
    "DicomVolume",
    "Draw",
    "FatPhantomSet",
    "InputError",
    "Label",
    "Manifest",
    "PhantomSet",
    "Picture",
    "Problem",
    "RandomDraws",
    "RasterReader",
    "Statistics",
    "Volume",
    "VolumeReader",
    "balanced_weights",
    "check_dataset",
    "check_image",
    "check_pair",
    "choose_series",
    "datalist",
    "deal_folds",
    "dicom_output_path",
    "dicom_reference",
    "find_dicom_series",
    "find_manifest",
    "intensity_statistics",
    "intensity_window",
    "is_dicom",
    "list_images",
    "load_manifest",
    "pick_input",
    "read_dicom_series",
    "read_image",
    "read_raster",
    "read_volume",
    "require_classes",
    "require_modality",
    "require_usable",
    "save_manifest",
    "split_reference",
    "write_dicom_outputs",
    "write_dicom_seg",
    "write_dicom_sr",
    "write_fat_phantoms",
    "write_phantoms",
]


def __getattr__(name: str) -> object:
    # MONAI takes seconds to import, and most of what is here needs none of it.
    if name == "DicomSeriesReader":
        from medseg.data.images.dicom_reader import DicomSeriesReader

        return DicomSeriesReader
    if name == "RasterReader":
        from medseg.data.images.raster_reader import RasterReader

        return RasterReader
    if name == "VolumeReader":
        from medseg.data.images.volume_reader import VolumeReader

        return VolumeReader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
