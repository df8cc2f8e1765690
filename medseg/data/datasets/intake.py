"""Intake of images and labels: what makes one unusable, and what is remarkable about it.

All commands ask here, when they have read a file and before they use it: `data check`, `train`,
`predict`, `evaluate`, `data preview`, `data statistics`, and their dry runs. So they refuse the
same files, and warn in the same words. Bad input would otherwise fail late and far from its cause,
or not fail at all: one NaN voxel turns every weight of a network into NaN, and a label that is
shifted against its image trains without an error.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from medseg.data.datasets.expected import UNKNOWN, Expected
from medseg.data.datasets.fingerprint import fingerprint
from medseg.data.datasets.grids import grid_problems
from medseg.data.datasets.image_values import value_problems
from medseg.data.datasets.label_values import count_values, label_problems
from medseg.data.datasets.unlike_training import Trained, unlike_training
from medseg.data.dicom.problems import dicom_problems
from medseg.data.images.channels import read_channels
from medseg.data.images.geometry import geometry_problems
from medseg.data.images.picture import Picture, read_label
from medseg.data.images.volume import Volume
from medseg.data.label_kind import LabelKind, as_classes
from medseg.data.label_source import LabelSource, parse_label_source
from medseg.data.problems import Problem, refusal
from medseg.data.source import parse_source

__all__ = [
    "JudgedLabel",
    "Pair",
    "channel_problems",
    "image_problems",
    "judge_label",
    "read_pair",
    "refuse_errors",
]


@dataclass(frozen=True)
class JudgedLabel:
    """What was found about a label.

    Attributes:
        counts: Number of voxels of each value, as classes; see `count_values`.
        problems: Of its values, of its file, and of its grid beside the image's.
    """

    counts: Mapping[float, int]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, eq=False)
class Pair:
    """An image and its label, both usable.

    Attributes:
        image: As read.
        label: As read, in the image's grid.
        problems: Warnings: a label that is all background is no error, since some patients have
            nothing to segment, and neither is a constant image.
    """

    image: Volume | Picture
    label: Volume | Picture
    problems: tuple[Problem, ...]


def image_problems(image: Volume | Picture, expected: Expected = UNKNOWN) -> tuple[Problem, ...]:
    """Problems of an image: of its file, its DICOM series, its place in space, its values.

    Args:
        image: As read; of several channels each is looked at, and named in what is wrong.
        expected: What the data set or the bundle says of its images.
    """
    return tuple(one for problems in channel_problems(image, expected) for one in problems)


def channel_problems(
    image: Volume | Picture, expected: Expected = UNKNOWN
) -> list[tuple[Problem, ...]]:
    """Problems of each channel of an image, see `image_problems`; a picture is taken as one."""
    if isinstance(image, Picture) or not image.others:
        return [_problems(image, expected)]
    told = list(expected.channels)[: len(image.channels)]
    pairs = zip_longest(image.channels, told, fillvalue=UNKNOWN)
    return [
        tuple(_named(one, of.name or str(number)) for one in _problems(channel, of))
        for number, (channel, of) in enumerate(pairs, start=1)
        if isinstance(channel, Volume)
    ]


def _named(problem: Problem, channel: str) -> Problem:
    kind = problem.kind and f"channel {channel}: {problem.kind}"
    return replace(problem, what=f"channel {channel}: {problem.what}", kind=kind)


def _problems(image: Volume | Picture, expected: Expected) -> tuple[Problem, ...]:
    of_values = (*value_problems(image.array, expected), *_unlike(image, expected.trained))
    if isinstance(image, Picture):
        return (*image.doubts, *of_values)
    return (
        *image.doubts,
        *dicom_problems(image.dicom, expected.modality),
        *geometry_problems(image.affine, image.shape, "image"),
        *of_values,
    )


def _unlike(image: Volume | Picture, trained: Trained | None) -> tuple[Problem, ...]:
    return () if trained is None else unlike_training(fingerprint(image), trained)


def judge_label(
    label: Volume | Picture,
    image: Volume | Picture | None,
    label_values: Collection[int] | None,
    label_kind: LabelKind = "classes",
) -> JudgedLabel:
    """Problems of a label, on its own and beside its image.

    Args:
        label: As read.
        image: The image, whose grid it must have; None leaves the grid unchecked.
        label_values: The values that have a name; None allows all whole numbers from 0.
        label_kind: Kind of the label file, see `as_classes`.
    """
    counts = count_values(as_classes(label.array, label_kind))
    told = set[str]() if image is None else {doubt.what for doubt in image.doubts}
    problems = (
        *(doubt for doubt in label.doubts if doubt.what not in told),
        *(() if image is None else grid_problems(image, label)),
        *label_problems(counts, _whole(counts) if label_values is None else label_values),
    )
    return JudgedLabel(counts, problems)


def _whole(counts: Mapping[float, int]) -> list[int]:
    return [int(value) for value in counts if value >= 0 and float(value).is_integer()]


def read_pair(
    image_path: str | Path | Sequence[str | Path],
    label_path: LabelSource | str | Path,
    label_values: Collection[int],
    label_kind: LabelKind = "classes",
    expected: Expected = UNKNOWN,
) -> Pair:
    """Read an image and its label, check both, and whether they share one grid.

    Args:
        image_path: The image; or a path for each channel, see `read_channels`.
        label_path: Its reference; of a SEG or RTSTRUCT its source, or the text of one.
        label_values: The values that the manifest names.
        label_kind: Kind of the label file, see `as_classes`.
        expected: What the data set says of its images.

    Raises:
        InputError: If either cannot be used, or their grids differ.
    """
    paths = [image_path] if isinstance(image_path, str | Path) else list(image_path)
    image = read_channels(list(map(parse_source, paths)))
    of_image: list[Problem] = []
    for path, problems in zip(paths, channel_problems(image, expected), strict=False):
        refuse_errors(path, problems)
        of_image += problems
    label = read_label(label_path)
    of_label = judge_label(label, image, label_values, label_kind).problems
    refuse_errors(parse_label_source(label_path) or label_path, of_label)
    return Pair(image, label, (*of_image, *of_label))


def refuse_errors(path: object, problems: Iterable[Problem]) -> None:
    """Raise the first error among problems.

    Args:
        path: Name of the file in the message.
        problems: What was found about it.

    Raises:
        InputError: For the first error.
    """
    for problem in problems:
        if problem.severity == "error":
            raise refusal(str(path), problem)
