"""DICOM Structured Report (TID 1500) with the volume of each class.

A measurement in it belongs to a segment of a SEG, so the report refers to the SEG that
`write_dicom_seg` makes of the same label, and to the source series. As no person has reviewed it,
it is marked as preliminary and unverified.

Reference:
    DICOM PS3.16, TID 1500 Measurement Report.
    https://dicom.nema.org/medical/dicom/current/output/chtml/part16/chapter_A.html#sect_TID_1500
"""

from pathlib import Path
from typing import Any, cast

import highdicom.sr as sr
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from medseg.data.dicom.codes import segment_codes
from medseg.data.dicom.label import DicomLabel
from medseg.data.dicom.output_common import (
    EQUIPMENT,
    Overwrite,
    check_free,
    content_key,
    derived_uid,
    finish,
    save_dicom,
    source_images,
)
from medseg.data.dicom.planes import label_planes
from medseg.data.dicom.seg import SEGMENTATION_STORAGE, seg_uids
from medseg.data.dicom.source import DicomSource, read_dicom_source
from medseg.data.dicom.tags import quiet_pydicom
from medseg.data.manifest import Label

__all__ = ["volumes_ml", "write_dicom_sr", "write_sr_of"]

# Beyond the series numbers that scanners use.
SR_SERIES = 9002
MILLILITRE = Code("mL", "UCUM", "milliliter")
# pydicom's types say Unknown where a caller needs to know.
_codes = cast("Any", codes)
_sr = cast("Any", sr)
PROCEDURES = {
    "CT": _codes.cid100.CTUnspecifiedBodyRegion,
    "MR": _codes.cid100.MRIUnspecifiedBodyRegion,
    "PT": _codes.cid100.PETUnspecifiedBodyRegion,
}


def write_dicom_sr(label: DicomLabel, path: str | Path, *, overwrite: Overwrite = "refuse") -> None:
    """Write the volume of each class in ml as a DICOM SR.

    Args:
        label: The same as for `write_dicom_seg`, `created` included: the report refers to that
            file's identifiers. Volumes are those of the given label, interpolated slices
            included; a class without a voxel has 0 ml.
        path: Output file; its folder is created if missing.
        overwrite: `refuse` an existing file or `replace` it.

    Raises:
        UsageError: If the file exists, or the source is not DICOM.
        InputError: If the source is not a volume, lacks an identifier, or has another grid.
    """
    check_free(Path(path), overwrite)
    source = read_dicom_source(label.reference)
    write_sr_of(label, source, label_planes(label, source), Path(path))


def write_sr_of(label: DicomLabel, source: DicomSource, planes: NDArray[Any], path: Path) -> None:
    """Write the SR for a source that was read already, with the planes from `label_planes`."""
    with quiet_pydicom():
        report = _report(label, source, content_key(label, source, planes))
    save_dicom(finish(report, label, source), path, source)


def volumes_ml(label: DicomLabel) -> list[float]:
    """Volume of each segment in ml: number of voxels times voxel volume."""
    counts = np.zeros(len(label.labels), np.int64)
    for k in range(label.array.shape[2]):
        counts += np.bincount(label.array[:, :, k].ravel(), minlength=len(counts))
    voxel_ml = abs(float(np.linalg.det(label.affine[:3, :3]))) / 1000
    return [count * voxel_ml for count in counts[1:].tolist()]


def _report(label: DicomLabel, source: DicomSource, key: str) -> Dataset:
    seg, images = _seg(source, key), _files(source)
    return _sr.Comprehensive3DSR(
        evidence=[*images, seg],
        content=_content(label, source, key),
        series_instance_uid=derived_uid(key, "SR series"),
        series_number=SR_SERIES,
        sop_instance_uid=derived_uid(key, "SR"),
        instance_number=1,
        is_complete=True,
        **EQUIPMENT,
    )


def _seg(source: DicomSource, key: str) -> Dataset:
    seg = source_images(source)[0]
    seg.SOPClassUID = SEGMENTATION_STORAGE
    seg.SeriesInstanceUID, seg.SOPInstanceUID = seg_uids(key)
    return seg


def _files(source: DicomSource) -> list[Dataset]:
    images: dict[str, Dataset] = {}
    for image, reference in zip(source_images(source), source.references, strict=True):
        image.SOPClassUID, image.SOPInstanceUID = reference.sop_class_uid, reference.sop_uid
        images.setdefault(reference.sop_uid, image)
    return list(images.values())


def _content(label: DicomLabel, source: DicomSource, key: str) -> Any:
    observer = _sr.DeviceObserverIdentifyingAttributes(
        uid=derived_uid("medseg", label.algorithm.name, label.algorithm.digest),
        name=label.algorithm.name,
        manufacturer_name=EQUIPMENT["manufacturer"],
        model_name=EQUIPMENT["manufacturer_model_name"],
    )
    context = _sr.ObserverContext(
        observer_type=_codes.DCM.Device, observer_identifying_attributes=observer
    )
    groups = [
        _group(label, source, key, segment, volume_ml)
        for segment, volume_ml in zip(label.segments, volumes_ml(label), strict=True)
    ]
    return _sr.MeasurementReport(
        observation_context=_sr.ObservationContext(observer_device_context=context),
        procedure_reported=PROCEDURES.get(source.modality, _codes.cid100.ImagingProcedure),
        imaging_measurements=groups,
    )


def _group(
    label: DicomLabel, source: DicomSource, key: str, segment: Label, volume_ml: float
) -> Any:
    algorithm = _sr.AlgorithmIdentification(
        name=label.algorithm.name,
        version=label.algorithm.version,
        parameters=[f"digest={label.algorithm.digest}"],
    )
    referenced = _sr.ReferencedSegment(
        sop_class_uid=SEGMENTATION_STORAGE,
        sop_instance_uid=seg_uids(key)[1],
        segment_number=segment.value,
        source_series=_sr.SourceSeriesForSegmentation(source.stack.series_uid),
    )
    category, kind = segment_codes(segment)
    return _sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_sr.TrackingIdentifier(
            uid=derived_uid(key, "segment", segment.value), identifier=segment.name
        ),
        referenced_segment=referenced,
        finding_category=category,
        finding_type=kind,
        algorithm_id=algorithm,
        measurements=[_sr.Measurement(name=_codes.SCT.Volume, value=volume_ml, unit=MILLILITRE)],
    )
