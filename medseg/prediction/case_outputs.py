"""DICOM outputs and the picture of one case, with what made them and the caution of the weights."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from medseg.bundles.predictor import Predictor
from medseg.data.dicom.label import Algorithm, DicomLabel, Share
from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.data.label_kind import as_classes
from medseg.prediction.case_words import (
    case_cautions,
    image_numbers,
    series_title,
    share_remarks,
)
from medseg.prediction.ledger import Entry
from medseg.prediction.outputs import CaseFiles
from medseg.reports.overlay import MontageOptions, overlay_montage
from medseg.reports.picture_overlay import PictureOptions, overlay_picture
from medseg.reports.volumes import StructureVolume

if TYPE_CHECKING:
    from medseg.prediction.steps import Labelled

__all__ = ["draw_overlay", "write_dicom"]


def write_dicom(
    labelled: "Labelled",
    files: CaseFiles,
    predictor: Predictor,
    begun: Entry,
    measured: Sequence[StructureVolume],
) -> None:
    """Write SEG and SR, where they are asked for."""
    if not files.dicom or not isinstance(labelled.volume, Volume):
        return
    # highdicom takes a while to import, and most labels are not DICOM.
    from medseg.data.dicom.outputs import write_dicom_outputs

    weights = predictor.provenance
    label = DicomLabel(
        array=as_classes(labelled.label, predictor.label_kind),
        affine=labelled.volume.affine,
        reference=labelled.volume.series or labelled.case.source,
        labels=predictor.labels,
        algorithm=Algorithm(
            name=predictor.name,
            version=predictor.version,
            digest=begun.settings,
            weights=weights.tensors_sha256,
            caution=weights.caution,
            brief=weights.brief,
        ),
        shares={
            one.name: Share(of=one.parent, percent=one.percent)
            for one in measured
            if one.parent is not None
        },
        body_part=predictor.body_part,
        warnings=[problem.what for problem in labelled.warnings],
        created=datetime.fromisoformat(begun.created or ""),
    )
    folder = files.overlay.parent
    write_dicom_outputs(
        label, list(files.dicom), folder, case=labelled.case.name, overwrite="replace"
    )


def draw_overlay(
    labelled: "Labelled", path: Path, predictor: Predictor, measured: Sequence[StructureVolume]
) -> None:
    """Draw the label over the image, with what made it and what to be cautious of."""
    volume, weights = labelled.volume, predictor.provenance.tensors_sha256
    # The first digits tell two files apart.
    count = predictor.provenance.members
    mean = "" if count == 1 else f", mean of {count} networks"
    made_by = f"{predictor.name} {predictor.version}, weights {weights[:8]}{mean}"
    cautions = case_cautions(predictor.provenance.caution, labelled.warnings)
    if isinstance(volume, Picture):
        of_picture = PictureOptions(
            case=labelled.case.name,
            class_names=predictor.class_names,
            kind=predictor.label_kind,
            made_by=made_by,
            cautions=cautions,
        )
        overlay_picture(volume.array[:, :, 0], labelled.label, path, of_picture)
        return
    options = MontageOptions(
        case=labelled.case.name,
        class_names=predictor.class_names,
        modality=predictor.modality,
        title=series_title(labelled.case, volume),
        made_by=made_by,
        cautions=cautions,
        remarks=share_remarks(measured),
        image_numbers=image_numbers(volume),
    )
    label = as_classes(labelled.label, predictor.label_kind)
    overlay_montage(volume.array, label, volume.affine, path, options)
