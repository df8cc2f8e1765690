"""Options of `medseg data manifest` and `medseg plan`: files, what they are, how they are split."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.data.datasets.pairs import PAIRING_RULE
from medseg.data.label_kind import LabelKind as Kind
from medseg.data.manifest import Modality as ModalityName

__all__ = [
    "EPILOG",
    "Channel",
    "Citation",
    "GroupColumn",
    "GroupRegex",
    "Images",
    "LabelKind",
    "LabelNames",
    "Labels",
    "Licence",
    "Modality",
    "PatientColumn",
    "PatientRegex",
    "Rois",
    "Seed",
    "Source",
    "Table",
    "Test",
]

EPILOG = (
    f"{PAIRING_RULE} Without --patient-regex or --patient-column, each case is a separate patient."
)

Images = Annotated[str | None, typer.Option(help="Images, as a quoted pattern: 'ct/*.nii.gz'.")]
Channel = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PATTERN",
        help="Instead of --images, once for each channel: --channel pet='*/PET.nii.gz' "
        "--channel mr='*/MR.nii.gz'. What * stands for tells the case; labels have the grid of "
        "the first.",
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(help="Their labels, as a quoted pattern; also DICOM SEG or RTSTRUCT files."),
]
LabelNames = Annotated[
    str,
    typer.Option(
        help="Names of the label values, from 0, the background: 'background,lung,infection'."
    ),
]
Modality = Annotated[
    ModalityName | None,
    typer.Option(help="Imaging modality; may be left out where channels are named after one."),
]
Rois = Annotated[
    list[str] | None,
    typer.Option(
        help="Of labels in DICOM (SEG, RTSTRUCT): a pattern of names in them and the class "
        "that they are, 'GTV*=tumour'; repeatable, later ones cover earlier ones."
    ),
]
LabelKind = Annotated[
    Kind,
    typer.Option(
        help="What label files contain: values of classes, numbered instances of one class, or "
        "an 8-bit mask with foreground above the middle."
    ),
]
Test = Annotated[int, typer.Option(min=0, help="Patients to set aside for testing.")]
PatientRegex = Annotated[
    str | None,
    typer.Option(help="Pattern whose group is the patient in a case's name: '^(p[0-9]+)_'."),
]
GroupRegex = Annotated[
    str | None,
    typer.Option(
        help="Pattern whose group is the case's group, e.g. a tissue class, in the path of its "
        "image below the data set's folder: '^([^/]+)/'."
    ),
]
Table = Annotated[
    Path | None,
    typer.Option(
        help="Table of cases, CSV or TSV, instead of patterns; a column has the cases' names."
    ),
]
PatientColumn = Annotated[
    str | None,
    typer.Option(help="Its column that has the patient, or the field that must stay together."),
]
GroupColumn = Annotated[
    str | None,
    typer.Option(help="Its column that has the group; groups are spread over test and folds."),
]
Source = Annotated[str, typer.Option(help="Where the images come from.")]
Licence = Annotated[str, typer.Option(help="Licence of the data set.")]
Citation = Annotated[str, typer.Option(help="Publication to cite.")]
Seed = Annotated[int, typer.Option(help="Random seed for assigning patients to folds.")]
