"""DICOM Segmentation (SEG) of a label: one segment per class, one frame per source slice.

Frames lie in the planes of the source, without rotation or flip, because viewers refuse any others.
Frames without a voxel are omitted.

Reference:
    DICOM PS3.3, A.51 Segmentation IOD.
    https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_A.51.html
"""

from pathlib import Path
from typing import Any, cast

from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.content import PlanePositionSequence
from highdicom.seg import Segmentation, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from medseg.data.colours import class_colour
from medseg.data.dicom.codes import region_code, segment_codes
from medseg.data.dicom.label import DicomLabel
from medseg.data.dicom.output_common import (
    EQUIPMENT,
    Overwrite,
    check_free,
    content_key,
    derived_uid,
    finish,
    made_by,
    number_uid,
    save_dicom,
    source_images,
)
from medseg.data.dicom.planes import label_planes
from medseg.data.dicom.source import DicomSource, Reference, read_dicom_source
from medseg.data.dicom.tags import quiet_pydicom
from medseg.data.manifest import Label
from medseg.data.wording import in_words

__all__ = ["SEGMENTATION_STORAGE", "SEG_SERIES", "seg_uids", "write_dicom_seg", "write_seg_of"]

SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
# Beyond the series numbers that scanners use.
SEG_SERIES = 9001
# pydicom's types say Unknown where a caller needs to know.
_codes = cast("Any", codes)


def write_dicom_seg(
    label: DicomLabel, path: str | Path, *, overwrite: Overwrite = "refuse"
) -> None:
    """Write a label as a BINARY DICOM SEG.

    Segments have the values of the label as numbers, and its names; each has codes, the algorithm
    and a tracking UID. Patient, study and frame of reference are the source's.

    Args:
        label: The label, its source and its algorithm. On a straightened or interpolated volume
            each slice takes the nearest voxels; interpolated slices are not written.
        path: Output file; its folder is created if missing.
        overwrite: `refuse` an existing file or `replace` it.

    Raises:
        UsageError: If the file exists, or the source is not DICOM.
        InputError: If the source is not a volume, lacks an identifier, or has another grid.
    """
    check_free(Path(path), overwrite)
    source = read_dicom_source(label.reference)
    write_seg_of(label, source, label_planes(label, source), Path(path))


def write_seg_of(label: DicomLabel, source: DicomSource, planes: NDArray[Any], path: Path) -> None:
    """Write the SEG for a source that was read already, with the planes from `label_planes`."""
    with quiet_pydicom():
        seg = finish(_segmentation(label, source, planes), label, source)
    part = source.body_part or label.body_part
    if part is not None:
        seg.BodyPartExamined = part
    save_dicom(seg, path, source)


def seg_uids(key: str) -> tuple[str, str]:
    """SeriesInstanceUID and SOPInstanceUID of the SEG with this content key."""
    return derived_uid(key, "SEG series"), derived_uid(key, "SEG")


def _segmentation(label: DicomLabel, source: DicomSource, planes: NDArray[Any]) -> Dataset:
    key = content_key(label, source, planes)
    series_uid, sop_uid = seg_uids(key)
    images = source_images(source)
    places, empty = None, not planes.any()
    if empty:
        # A SEG needs at least one frame, so an empty label has a single empty one.
        planes = planes[:1]
        places = [PlanePositionSequence("PATIENT", images[0].ImagePositionPatient)]
    seg = Segmentation(
        source_images=images,
        pixel_array=planes,
        segmentation_type="BINARY",
        segment_descriptions=_descriptions(label, key),
        series_instance_uid=series_uid,
        series_number=SEG_SERIES,
        sop_instance_uid=sop_uid,
        instance_number=1,
        plane_positions=places,
        omit_empty_frames=not empty,
        content_description=label.algorithm.caution,
        contributing_equipment=[made_by(label)],
        **EQUIPMENT,
    )
    organisation = derived_uid(key, "dimensions")
    for item in [*seg.DimensionIndexSequence, *seg.DimensionOrganizationSequence]:
        item.DimensionOrganizationUID = organisation
    _refer(seg, source.references)
    return seg


def _descriptions(label: DicomLabel, key: str) -> list[SegmentDescription]:
    algorithm = AlgorithmIdentificationSequence(
        name=label.algorithm.name,
        version=label.algorithm.version,
        family=_codes.DCM.ArtificialIntelligence,
        source="medseg",
        parameters={"digest": label.algorithm.digest, "weights": label.algorithm.weights},
    )
    return [_description(segment, key, algorithm) for segment in label.segments]


def _description(
    segment: Label, key: str, algorithm: AlgorithmIdentificationSequence
) -> SegmentDescription:
    category, kind = segment_codes(segment)
    region = region_code(segment)
    return SegmentDescription(
        segment_number=segment.value,
        segment_label=in_words(segment.name),
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        tracking_uid=derived_uid(key, "segment", segment.value),
        tracking_id=in_words(segment.name),
        anatomic_regions=None if region is None else [region],
        display_color=CIELabColor.from_rgb(*class_colour(segment.value)),
    )


def _refer(seg: Dataset, references: tuple[Reference, ...]) -> None:
    """Replace the numbers that highdicom got for the source's slices by their references."""
    numbered = {number_uid(k): reference for k, reference in enumerate(references)}
    for frame in seg.PerFrameFunctionalGroupsSequence:
        for derivation in frame.DerivationImageSequence:
            for item in derivation.SourceImageSequence:
                # Segments share the item of a slice, which may have been replaced already.
                if item.ReferencedSOPInstanceUID in numbered:
                    _name(item, numbered[item.ReferencedSOPInstanceUID])
    files = dict.fromkeys((one.sop_class_uid, one.sop_uid) for one in references)
    wholes = [_name(Dataset(), Reference(*file, None)) for file in files]
    seg.SourceImageSequence = wholes
    seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence = wholes


def _name(item: Dataset, reference: Reference) -> Dataset:
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_uid
    if reference.frame is not None:
        item.ReferencedFrameNumber = reference.frame
    return item
