"""Write a CT volume as a DICOM series, one file per slice.

Only synthetic images are written, as test data for the reader: identifiers are derived from the
name of the case, dates are empty, and the same volume gives the same bytes.

Reference:
    DICOM PS3.3, A.3 CT Image IOD; C.7.6.2 for position and orientation;
    PS3.5, B.2 for identifiers under 2.25. https://dicom.nema.org/medical/dicom/current
"""

import uuid
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

__all__ = ["write_ct_series"]

# RAS+ millimetres to DICOM's LPS+.
LPS = np.array([-1.0, -1.0, 1.0])
INTERCEPT_HU = -1024


def write_ct_series(
    folder: Path, image: NDArray[np.int16], affine: NDArray[np.float64], *, case: str
) -> None:
    """Write `NNN.dcm` for each slice along the last axis.

    Args:
        folder: Existing, empty folder.
        image: `(I, J, K)` in HU, [-1024, 3071]; I runs along the rows of a slice.
        affine: `(4, 4)`, voxel indices to RAS+ millimetres; orthogonal and right-handed,
            because readers stack slices in the direction of the cross product.
        case: Name of the patient; all identifiers are derived from it.

    Raises:
        ValueError: If the axes are not orthogonal or left-handed.
    """
    axes = affine[:3, :3]
    spacing = np.linalg.norm(axes, axis=0)
    directions = axes / spacing
    if not np.allclose(directions.T @ directions, np.eye(3), atol=1e-6):
        raise ValueError(f"axes must be orthogonal for a DICOM series, got {axes.tolist()}")
    if np.linalg.det(directions) < 0:
        raise ValueError("axes must be right-handed for a DICOM series; flip the last one")
    for index in range(image.shape[2]):
        position = affine[:3, :3] @ [0, 0, index] + affine[:3, 3]
        slice_ = _slice(case, index, image[:, :, index])
        slice_.ImageOrientationPatient = _decimals(np.concatenate(directions.T[:2] * LPS))
        slice_.ImagePositionPatient = _decimals(position * LPS)
        slice_.PixelSpacing = _decimals(spacing[[1, 0]])
        slice_.SliceThickness = _decimals(spacing[2:])[0]
        slice_.save_as(folder / f"{index:03d}.dcm", enforce_file_format=True)


def _slice(case: str, index: int, pixels: NDArray[np.int16]) -> Dataset:
    slice_ = Dataset()
    slice_.file_meta = FileMetaDataset()
    slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_.file_meta.MediaStorageSOPClassUID = CTImageStorage
    slice_.file_meta.MediaStorageSOPInstanceUID = UID(_uid(case, f"slice {index}"))
    for keyword, value in _attributes(case, index).items():
        setattr(slice_, keyword, value)
    slice_.Columns, slice_.Rows = pixels.shape
    stored = (pixels.astype(np.int32) - INTERCEPT_HU).astype("<u2")
    slice_.add_new("PixelData", "OW", stored.T.tobytes())
    return slice_


def _attributes(case: str, index: int) -> dict[str, str | int | list[str]]:
    """Attributes that do not depend on pixels and geometry; empty where DICOM allows it."""
    return {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": _uid(case, f"slice {index}"),
        "StudyInstanceUID": _uid(case, "study"),
        "SeriesInstanceUID": _uid(case, "series"),
        "FrameOfReferenceUID": _uid(case, "frame of reference"),
        "ImageType": ["DERIVED", "PRIMARY", "AXIAL"],
        "Modality": "CT",
        "Manufacturer": "medseg",
        "SeriesDescription": "chest phantom",
        "PatientName": case.upper().replace("_", "^"),
        "PatientID": case,
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyDate": "",
        "StudyTime": "",
        "StudyID": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "PositionReferenceIndicator": "",
        "PatientPosition": "HFS",
        "KVP": "",
        "AcquisitionNumber": 1,
        "SeriesNumber": 1,
        "InstanceNumber": index + 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "RescaleIntercept": INTERCEPT_HU,
        "RescaleSlope": 1,
        "RescaleType": "HU",
    }


def _uid(case: str, what: str) -> str:
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'medseg:{case}:{what}').int}"


def _decimals(values: NDArray[np.float64]) -> list[str]:
    """Format numbers as DICOM decimal strings (DS), at most 16 characters each."""
    return [np.format_float_positional(v, precision=10, trim="-")[:16] for v in values]
