"""Data: images, DICOM, manifests, cached training cases, phantoms."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.data.cases.balance import balanced_weights
    from medseg.data.cases.dataset import CaseDataset
    from medseg.data.cases.draws import RandomDraws
    from medseg.data.channel import Channel
    from medseg.data.datalists import datalist
    from medseg.data.datasets.image_entries import image_entries
    from medseg.data.datasets.inputs import (
        find_manifest,
        intensity_window,
        list_images,
        require_classes,
        require_usable,
    )
    from medseg.data.datasets.statistics import intensity_statistics
    from medseg.data.dicom.find import find_dicom_series
    from medseg.data.dicom.seg import write_dicom_seg
    from medseg.data.dicom.series import read_dicom_series
    from medseg.data.dicom.sr import write_dicom_sr
    from medseg.data.images.dicom_reader import DicomSeriesReader
    from medseg.data.images.picture import read_image
    from medseg.data.images.raster_reader import RasterReader
    from medseg.data.images.volume import Volume, read_volume
    from medseg.data.images.volume_reader import VolumeReader
    from medseg.data.known_folders import known_dataset_dir
    from medseg.data.manifest import Case, Label, Manifest, load_manifest, save_manifest
    from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
    from medseg.data.phantoms.fat.writer import FatPhantomSet, write_fat_phantoms

__all__ = [
    "Case",
    "CaseDataset",
    "Channel",
    "DicomSeriesReader",
    "FatPhantomSet",
    "Label",
    "Manifest",
    "PhantomSet",
    "RandomDraws",
    "RasterReader",
    "Volume",
    "VolumeReader",
    "balanced_weights",
    "datalist",
    "find_dicom_series",
    "find_manifest",
    "image_entries",
    "intensity_statistics",
    "intensity_window",
    "known_dataset_dir",
    "list_images",
    "load_manifest",
    "read_dicom_series",
    "read_image",
    "read_volume",
    "require_classes",
    "require_usable",
    "save_manifest",
    "write_dicom_seg",
    "write_dicom_sr",
    "write_fat_phantoms",
    "write_phantoms",
]

__getattr__, __dir__ = attach(__name__)
