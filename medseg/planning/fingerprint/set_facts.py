"""Facts of a whole data set: medians and shares over its cases, from which a plan is made."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from medseg.data.label_kind import LabelKind
from medseg.data.manifest import Manifest
from medseg.errors import DataError
from medseg.planning.fingerprint.case_facts import QUANTILES, CaseFacts, ChannelFacts

__all__ = ["ChannelSummary", "ClassSummary", "SetFacts", "at", "summarise_set"]

# Of a set of pictures that is mostly grey, a few coloured ones make it coloured.
_COLOURED = 0.05


@dataclass(frozen=True, kw_only=True)
class ClassSummary:
    """One class over all cases.

    Attributes:
        name: Of the class.
        cases: In which it occurs.
        share: Median of its voxels, as a share of the image, over cases that have it.
        volume: Median of its voxels' volume, in mm^3 or pixels.
        parts: Median number of connected parts.
        sizes: Sizes of parts at `QUANTILES`, over all cases, in voxels.
        extent: Median length of the largest part along each axis.
        thickness: Median over cases.
        centres: Of its voxels along the first axis, as a share of the image, by case.
    """

    name: str
    cases: int
    share: float
    volume: float
    parts: float
    sizes: tuple[float, ...]
    extent: tuple[float, ...]
    thickness: float
    centres: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ChannelSummary:
    """One of several channels over all cases; see `SetFacts` for what its numbers are.

    Attributes:
        name: Of the channel.
        modality: Its own, or the manifest's.
        unit: Of its values.
        inside: See `SetFacts`, as are the others.
    """

    name: str
    modality: str
    unit: str
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    zeros: float
    dark: float


@dataclass(frozen=True, kw_only=True)
class SetFacts:
    """A data set, as rules see it.

    Attributes:
        cases: Number of usable cases.
        patients: Number of patients in training.
        modality: Of the manifest.
        unit: Of the first channel.
        channels: Number of channels in the manifest.
        label_kind: Of the manifest.
        kind: `picture` or `volume`.
        colour: `rgb` or `grey`.
        shape: Median, along each axis, in voxels as stored.
        volume: Mean of what an image covers, in mm^3 or pixels.
        spacing: Median, along each axis.
        spacing_low: Tenth percentile, along each axis.
        box: 90th percentile of the box around all labels, along each axis, in mm or pixels.
        inside: Intensities of labelled voxels at `QUANTILES`, mean over cases.
        outside: Of the others.
        zeros: Median share of voxels that are 0.
        dark: Median share of dark voxels.
        covered: Median share of voxels that are labelled.
        classes: Without the background.
        touching: Mean share of numbered objects that touch another.
        holes: 80th percentile of holes in objects; 0 without holes.
        groups: Number of training cases of each group, by name; empty unless all have one.
        each: Of several channels each, the first one as well; empty of a single one.
    """

    cases: int
    patients: int
    modality: str
    unit: str
    channels: int
    label_kind: LabelKind
    kind: str
    colour: str
    shape: tuple[int, ...]
    volume: float
    spacing: tuple[float, ...]
    spacing_low: tuple[float, ...]
    box: tuple[float, ...]
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    zeros: float
    dark: float
    covered: float
    classes: tuple[ClassSummary, ...]
    touching: float
    holes: float
    groups: Mapping[str, int] = field(default_factory=dict[str, int])
    each: tuple[ChannelSummary, ...] = ()

    @property
    def axes(self) -> int:
        """2 or 3."""
        return len(self.shape)

    def of_channel(self, channel: ChannelSummary) -> "SetFacts":
        """The same data set, with the intensities of one of its channels."""
        return replace(
            self,
            modality=channel.modality,
            unit=channel.unit,
            inside=channel.inside,
            outside=channel.outside,
            zeros=channel.zeros,
            dark=channel.dark,
        )


def at(quantiles: Sequence[float], percent: float) -> float:
    """The value at one of `QUANTILES`."""
    return quantiles[QUANTILES.index(percent)]


def summarise_set(manifest: Manifest, facts: Sequence[CaseFacts]) -> SetFacts:
    """Summarise the cases of a data set.

    Raises:
        DataError: If there is none, if pictures and volumes are mixed, or nothing is labelled.
    """
    if not facts:
        raise DataError(f"{manifest.name}: no case can be used; see medseg data check")
    kinds = sorted({case.kind for case in facts})
    if len(kinds) > 1:
        raise DataError(
            f"{manifest.name}: holds pictures and volumes; plan a bundle for each of them"
        )
    if not any(case.inside for case in facts):
        raise DataError(f"{manifest.name}: no label marks a voxel; check --labels")
    return SetFacts(
        cases=len(facts),
        patients=len({case.patient for case in manifest.training}),
        modality=manifest.modality,
        unit=manifest.channels[0].unit,
        channels=len(manifest.channels),
        label_kind=manifest.label_kind,
        kind=kinds[0],
        colour=_colour(facts),
        shape=tuple(round(n) for n in _median(case.shape for case in facts)),
        volume=float(np.mean([_covers(case) for case in facts])),
        spacing=_rounded(_median(case.spacing for case in facts)),
        spacing_low=_rounded(_percentile((case.spacing for case in facts), 10)),
        box=_rounded(_percentile(_boxes(facts), 90)),
        inside=_rounded(_mean(case.inside for case in facts if case.inside)),
        outside=_rounded(_mean(case.outside for case in facts if case.outside)),
        zeros=round(float(np.median([case.zeros for case in facts])), 4),
        dark=round(float(np.median([case.dark for case in facts])), 4),
        covered=round(float(np.median([_covered(case) for case in facts])), 5),
        classes=tuple(
            _class(name, index, facts) for index, name in enumerate(manifest.class_names[1:])
        ),
        touching=round(float(np.mean([case.touching for case in facts])), 4),
        holes=max((at(case.holes, 80.0) for case in facts if case.holes), default=0.0),
        groups=_groups(manifest),
        each=tuple(_channels(manifest, facts)),
    )


def _groups(manifest: Manifest) -> dict[str, int]:
    names = [case.group for case in manifest.training if case.group is not None]
    return dict(sorted(Counter(names).items())) if len(names) == len(manifest.training) else {}


def _channels(manifest: Manifest, facts: Sequence[CaseFacts]) -> Iterator[ChannelSummary]:
    if len(manifest.channels) < 2 or facts[0].kind == "picture":
        return
    rows = [(_first(case), *case.others) for case in facts]
    for channel, column in zip(manifest.channels, zip(*rows, strict=True), strict=True):
        yield ChannelSummary(
            name=channel.name,
            modality=channel.modality or manifest.modality,
            unit=channel.unit,
            inside=_rounded(_mean(one.inside for one in column if one.inside)),
            outside=_rounded(_mean(one.outside for one in column if one.outside)),
            zeros=round(float(np.median([one.zeros for one in column])), 4),
            dark=round(float(np.median([one.dark for one in column])), 4),
        )


def _first(case: CaseFacts) -> ChannelFacts:
    return ChannelFacts(inside=case.inside, outside=case.outside, zeros=case.zeros, dark=case.dark)


def _covers(case: CaseFacts) -> float:
    return float(np.prod(case.shape) * np.prod(case.spacing))


def _colour(facts: Sequence[CaseFacts]) -> str:
    coloured = sum(case.colour == "rgb" for case in facts) / len(facts)
    return "rgb" if coloured > _COLOURED else "grey"


def _boxes(facts: Sequence[CaseFacts]) -> list[tuple[float, ...]]:
    return [
        tuple(n * mm for n, mm in zip(case.box, case.spacing, strict=True))
        for case in facts
        if any(case.box)
    ]


def _covered(case: CaseFacts) -> float:
    return sum(one.voxels for one in case.classes) / float(np.prod(case.shape))


def _class(name: str, index: int, facts: Sequence[CaseFacts]) -> ClassSummary:
    there = [(case, case.classes[index]) for case in facts if case.classes[index].voxels]
    if not there:
        none = (0.0,) * len(facts[0].shape)
        return ClassSummary(
            name=name,
            cases=0,
            share=0.0,
            volume=0.0,
            parts=0.0,
            sizes=(),
            extent=none,
            thickness=0.0,
            centres=(),
        )
    shares = [one.voxels / float(np.prod(case.shape)) for case, one in there]
    volumes = [one.voxels * float(np.prod(case.spacing)) for case, one in there]
    return ClassSummary(
        name=name,
        cases=len(there),
        share=float(f"{np.median(shares):.3g}"),
        volume=float(f"{np.median(volumes):.4g}"),
        parts=float(np.median([one.parts for _, one in there])),
        sizes=_pooled([one.part_voxels for _, one in there], [one.parts for _, one in there]),
        extent=_rounded(_median(one.extent for _, one in there)),
        thickness=round(float(np.median([one.thickness for _, one in there])), 2),
        centres=tuple(round(one.centre[0], 3) for _, one in there),
    )


def _pooled(sizes: Sequence[tuple[float, ...]], parts: Sequence[int]) -> tuple[float, ...]:
    """Quantiles over all cases, each of its own quantiles standing for as many parts."""
    values = np.asarray(sizes, dtype=np.float64)
    edges = np.diff([0.0, *((a + b) / 2 for a, b in pairwise(QUANTILES)), 100.0])
    weights = np.asarray(parts, dtype=np.float64)[:, None] * edges
    order = np.argsort(values, axis=None)
    shares = np.cumsum(weights.ravel()[order])
    found = np.searchsorted(shares / shares[-1] * 100, QUANTILES)
    ordered = values.ravel()[order]
    return tuple(float(ordered[min(i, len(ordered) - 1)]) for i in found)


def _median(rows: Iterable[Sequence[float]]) -> tuple[float, ...]:
    return _percentile(rows, 50)


def _percentile(rows: Iterable[Sequence[float]], percent: float) -> tuple[float, ...]:
    found = np.percentile(np.asarray(list(rows), dtype=np.float64), percent, axis=0)
    return tuple(float(value) for value in found)


def _mean(rows: Iterable[Sequence[float]]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.asarray(list(rows), dtype=np.float64).mean(axis=0))


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in values)
