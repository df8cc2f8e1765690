"""DICOM Structured Report (TID 1500) with the volume of each class.

A measurement in it belongs to a segment of a SEG, so the report refers to the SEG that
`write_dicom_seg` makes of the same label, and to the source series. As no person has reviewed it,
it is marked as preliminary and unverified; as its weights are for research, as partial, and a
comment above all measurements says so.

Reference:
    DICOM PS3.3, C.17.2 SR Document General Module (completion, verification).
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

from medseg.data.dicom.codes import own_code, region_code, segment_codes
from medseg.data.dicom.label import DicomLabel, Share
from medseg.data.dicom.output_common import (
    EQUIPMENT,
    Overwrite,
    check_free,
    content_key,
    derived_uid,
    finish,
    made_by,
    save_dicom,
    source_images,
)
from medseg.data.dicom.planes import label_planes
from medseg.data.dicom.seg import SEGMENTATION_STORAGE, seg_uids
from medseg.data.dicom.source import DicomSource, read_dicom_source
from medseg.data.dicom.tags import quiet_pydicom
from medseg.data.manifest import Label
from medseg.data.wording import in_words, rounded_ml, rounded_percent

__all__ = ["volumes_ml", "write_dicom_sr", "write_sr_of"]

# Beyond the series numbers that scanners use.
SR_SERIES = 9002
MILLILITRE = Code("mL", "UCUM", "milliliter")
PERCENT = Code("%", "UCUM", "Percent")
# pydicom's types say Unknown where a caller needs to know.
_codes = cast("Any", codes)
_sr = cast("Any", sr)
PROCEDURES = {
    "CT": _codes.cid100.CTUnspecifiedBodyRegion,
    "MR": _codes.cid100.MRIUnspecifiedBodyRegion,
    "PT": _codes.cid100.PETUnspecifiedBodyRegion,
}


def write_dicom_sr(label: DicomLabel, path: str | Path, *, overwrite: Overwrite = "refuse") -> None:
    """Write the volume of each class in ml, and its share of its parent, as a DICOM SR.

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
    report = _sr.Comprehensive3DSR(
        evidence=[*images, seg],
        content=_content(label, source, key),
        series_instance_uid=derived_uid(key, "SR series"),
        series_number=SR_SERIES,
        sop_instance_uid=derived_uid(key, "SR"),
        instance_number=1,
        # PARTIAL: of a report for diagnosis, the reading by a person is missing.
        is_complete=False,
        contributing_equipment=[made_by(label)],
        **EQUIPMENT,
    )
    report.CompletionFlagDescription = label.algorithm.caution
    return report


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
    content = _sr.MeasurementReport(
        observation_context=_sr.ObservationContext(observer_device_context=context),
        procedure_reported=PROCEDURES.get(source.modality, _codes.cid100.ImagingProcedure),
        imaging_measurements=groups,
    )
    _add_comments(content[0].ContentSequence, label)
    return content


def _add_comments(items: Any, label: DicomLabel) -> None:
    """Say above the measurements what a reader has to know of them; the template is extensible."""
    place = next(k for k, item in enumerate(items) if item.name == _codes.DCM.ImagingMeasurements)
    for text in reversed(_comments(label)):
        comment = _sr.TextContentItem(
            name=_codes.DCM.Comment, value=text, relationship_type="CONTAINS"
        )
        items.insert(place, comment)


def _comments(label: DicomLabel) -> list[str]:
    algorithm = label.algorithm
    caution = algorithm.caution[:1].upper() + algorithm.caution[1:]
    by = f"Measured by {algorithm.name} {algorithm.version} without review by a person."
    wholes = {share.of for share in label.shares.values()}
    return [
        f"{caution}. {by}",
        "Structures are named as in the training data; no name is a diagnosis.",
        *(f"Warning about the image: {warning}." for warning in label.warnings),
        *(_without_parts(label, whole) for whole in sorted(wholes)),
    ]


def _without_parts(label: DicomLabel, whole: str) -> str:
    parts = [in_words(name) for name, share in label.shares.items() if share.of == whole]
    what = in_words(whole)
    return (
        f"The volume of {what} is without {', '.join(parts)}; "
        f"percentages are of the whole {what}, with all its parts."
    )


def _group(
    label: DicomLabel, source: DicomSource, key: str, segment: Label, volume_ml: float
) -> Any:
    algorithm = _sr.AlgorithmIdentification(
        name=label.algorithm.name,
        version=label.algorithm.version,
        parameters=[f"digest={label.algorithm.digest}", f"weights={label.algorithm.weights}"],
    )
    referenced = _sr.ReferencedSegment(
        sop_class_uid=SEGMENTATION_STORAGE,
        sop_instance_uid=seg_uids(key)[1],
        segment_number=segment.value,
        source_series=_sr.SourceSeriesForSegmentation(source.stack.series_uid),
    )
    category, kind = segment_codes(segment)
    region = region_code(segment)
    return _sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_sr.TrackingIdentifier(
            uid=derived_uid(key, "segment", segment.value), identifier=in_words(segment.name)
        ),
        referenced_segment=referenced,
        finding_category=category,
        finding_type=kind,
        algorithm_id=algorithm,
        finding_sites=None if region is None else [_sr.FindingSite(region)],
        measurements=_measurements(segment, volume_ml, label.shares.get(segment.name)),
    )


def _measurements(segment: Label, volume_ml: float, share: Share | None) -> list[Any]:
    volume = float(rounded_ml(volume_ml))
    measured = [_sr.Measurement(name=_codes.SCT.Volume, value=volume, unit=MILLILITRE)]
    if share is not None and share.percent is not None:
        name = own_code(f"Percentage of the whole {in_words(share.of)}")
        percent = float(rounded_percent(share.percent))
        measured.append(_sr.Measurement(name=name, value=percent, unit=PERCENT))
    return measured
