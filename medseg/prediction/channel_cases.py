"""Cases of several channels: files named one by one, by a folder's names, or by a manifest.

Each channel's file is found as any other input is, a DICOM series included; the first one names the
case, and its grid is that of the label.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from medseg._checks import first_few
from medseg._text import printable, safe_name
from medseg.bundles.channels import are_colours, channel_line
from medseg.data.channel import Channel
from medseg.data.datalists import image_paths
from medseg.data.datasets.channel_files import (
    Found,
    case_channels,
    channels_in,
    read_channel_options,
)
from medseg.data.images.naming import is_nifti, is_raster
from medseg.data.images.nifti import read_nifti_place
from medseg.data.manifest import Case, Manifest, load_manifest
from medseg.data.patterns import expand_captured
from medseg.data.source import Source, parse_source
from medseg.errors import DataError, MedsegError, UsageError
from medseg.prediction import search as searching
from medseg.prediction.cases import CohortCase, Refused
from medseg.prediction.search import Search

__all__ = ["ManifestCases", "ManifestSplit", "find_channels", "find_in_folders", "find_listed"]

ManifestSplit = Literal["test", "training", "all"]


@dataclass(frozen=True)
class ManifestCases:
    """Cases that a manifest lists: the file, the folder of its data set, and which of them."""

    manifest: Path
    dataset_dir: Path
    split: ManifestSplit = "test"

    def __post_init__(self) -> None:
        if self.split not in get_args(ManifestSplit):
            raise UsageError(f"--split takes {', '.join(get_args(ManifestSplit))}")


def find_channels(
    texts: Sequence[str], channels: Sequence[Channel], search: Search, bundle: str
) -> searching.Found:
    """The cases of `--channel NAME=FILE` options; a pattern for each may name several.

    Args:
        texts: The options.
        channels: Those of the bundle.
        search: How inputs are searched for.
        bundle: The bundle as it was given, for the line to type.

    Raises:
        UsageError: If a channel is unknown, missing, or given twice.
        DataError: If files do not pair.
    """
    given = read_channel_options(texts)
    names = tuple(channel.name for channel in channels)
    _check_names(given, names, bundle)
    found = searching.Found()
    literal = {name: parse_source(given[name]) for name in names}
    if any(source.series_uid is not None for source in literal.values()):
        _add(found, list(literal.values()), channels, search)
        return found
    files = [Found(name, given[name], _expanded(name, given[name])) for name in names]
    for case in case_channels(files):
        _add(found, [Source(path) for path in case.paths], channels, search)
    return found


def find_in_folders(
    inputs: Sequence[Source], channels: Sequence[Channel], search: Search, bundle: str
) -> searching.Found:
    """The cases below folders, by the naming of the bundle's manifest; and files of all channels.

    A file of one channel is refused, with the line to type.
    """
    found = searching.Found()
    names = tuple(channel.name for channel in channels)
    for number, source in enumerate(inputs, start=1):
        shown = printable(str(source))
        try:
            if source.path.is_dir():
                _add_folder(found, source, channels, search, f"input {number}")
            elif is_raster(source.path) or _channels_of(source.path) == len(names):
                whole = [Source(source.path.absolute())] * len(names)
                found.cases.append(_with_others(searching.find_cases(whole[:1]).cases[0], whole))
            else:
                what = f"is one file, and {Path(bundle).name} takes {len(names)} channels"
                raise DataError(f"{shown}: {what}: {channel_line(bundle, names)}")
        except MedsegError as error:
            found.refused.append(Refused(f"input {number}", printable(str(error)), shown, error))
    return found


def _add_folder(
    found: searching.Found,
    source: Source,
    channels: Sequence[Channel],
    search: Search,
    shown: str,
) -> None:
    """Add the cases of a folder, by its names; or a DICOM study's, by the channels' modalities."""
    lost: list[str] = []
    try:
        cases = channels_in(source.path.absolute(), channels, lost)
    except DataError:
        study = _of_study(source, channels, search)
        if study is None:
            raise
        found.cases.append(study)
        return
    for case in cases:
        _add(found, [Source(path) for path in case.paths], channels, search)
    found.refused.extend(Refused(shown, printable(text)) for text in lost)


def _of_study(source: Source, channels: Sequence[Channel], search: Search) -> CohortCase | None:
    """The case of a DICOM study with one series of each channel's modality; None of others."""
    modalities = [_of_dicom(channel.modality) for channel in channels]
    if None in modalities or len(set(modalities)) < len(modalities):
        return None
    absolute = Source(source.path.absolute())
    parts = [searching.find_cases([absolute], replace(search, modality=m)) for m in modalities]
    cases = [part.cases[0] for part in parts if len(part.cases) == 1 and part.cases[0].is_dicom]
    if len(cases) < len(channels):
        return None
    series = tuple(case.series for case in cases[1:])
    return replace(_with_others(cases[0], [c.source for c in cases]), other_series=series)


def find_listed(
    listed: ManifestCases, channels: Sequence[Channel], search: Search
) -> searching.Found:
    """The cases of a manifest, named as they are there.

    Raises:
        ManifestError: If the manifest cannot be read.
        DataError: If it has other channels than the bundle, or no such cases.
    """
    manifest = load_manifest(listed.manifest)
    theirs = [channel.name for channel in manifest.channels]
    names = [channel.name for channel in channels]
    several = len(names) > 1 and not are_colours(tuple(names))
    of_files = any(len(case.images) > 1 for case in manifest.cases)
    if (several and theirs != names) or (of_files and not several):
        raise DataError(
            f"{listed.manifest}: its channels are {', '.join(theirs)}, the bundle's "
            f"{', '.join(names)}; use a manifest with these, in this order"
        )
    if not listed.dataset_dir.is_dir():
        raise DataError(f"{listed.dataset_dir}: no such folder; use the one of {manifest.name}")
    cases = _of_split(manifest, listed.split)
    if not cases:
        raise DataError(f"{manifest.name}: lists no {listed.split} cases; choose another --split")
    found = searching.Found()
    channels = channels if several else channels[:1]
    for case in cases:
        paths = image_paths(case, listed.dataset_dir.absolute(), len(channels))
        missing = [n for n, path in enumerate(paths) if not path.exists()]
        if missing:
            which = f"its channel {names[missing[0]]}" if several else "its image"
            what = f"{which} is missing, {case.images[missing[0] % len(case.images)]} is not there"
            text = f"case {case.case}: {what}; set --dataset-dir to where {manifest.name} is"
            found.refused.append(Refused(case.case, text))
        else:
            before = len(found.cases)
            _add(found, list(map(Source, paths)), channels, search)
            named = safe_name(case.case)
            found.cases[before:] = [replace(one, name=named) for one in found.cases[before:]]
    return found


def _of_split(manifest: Manifest, split: ManifestSplit) -> Sequence[Case]:
    parts = {"test": manifest.test, "training": manifest.training, "all": manifest.cases}
    return parts[split]


def _check_names(given: Mapping[str, str], names: tuple[str, ...], bundle: str) -> None:
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"--channel {name}: {Path(bundle).name} has no such channel; {hint}its channels "
                f"are {', '.join(names)}"
            )
    missing = [name for name in names if name not in given]
    if missing:
        raise UsageError(
            f"--channel {missing[0]} is missing; {Path(bundle).name} takes "
            f"{' and '.join(names)}: "
            f"{channel_line(bundle, names)}"
        )


def _expanded(name: str, pattern: str) -> dict[Path, tuple[str, ...]]:
    keys = expand_captured(pattern)
    if not keys:
        raise DataError(f"--channel {name}={pattern}: not there; check the path and its folder")
    return {path.absolute(): key for path, key in keys.items()}


def _add(
    found: searching.Found, sources: Sequence[Source], channels: Sequence[Channel], search: Search
) -> None:
    """Add the case of these files, or why it is none."""
    if len(set(sources)) == 1 < len(sources):
        found.cases.append(_with_others(searching.find_cases(sources[:1]).cases[0], sources))
        return
    parts: list[CohortCase] = []
    for source, channel in zip(sources, channels, strict=True):
        modality = channel.modality if len(channels) > 1 else search.modality
        one = searching.find_cases([source], replace(search, modality=_of_dicom(modality)))
        found.refused.extend(_named(one.refused, channel, len(channels)))
        if len(one.cases) > 1:
            shown = first_few((case.shown for case in one.cases), 2)
            text = f"{source}: holds {len(one.cases)} images, {shown}; give one for each channel"
            found.refused.append(Refused(printable(source.path.name), text, str(source)))
        elif one.cases:
            parts.append(one.cases[0])
    if len(parts) == len(sources):
        others = [part.source for part in parts]
        series = tuple(part.series for part in parts[1:])
        found.cases.append(replace(_with_others(parts[0], others), other_series=series))


def _named(refused: Sequence[Refused], channel: Channel, count: int) -> Iterator[Refused]:
    for one in refused:
        yield one if count == 1 else replace(one, error=f"channel {channel.name}: {one.error}")


def _with_others(case: CohortCase, sources: Sequence[Source]) -> CohortCase:
    return replace(case, others=tuple(sources[1:]))


def _of_dicom(modality: str | None) -> str | None:
    return modality if modality in ("CT", "MR", "PT", "US") else None


def _channels_of(path: Path) -> int:
    """Channels of a NIfTI file by its header; 1 of other files, and of damaged ones."""
    if not (path.is_file() and is_nifti(path)):
        return 1
    try:
        shape, _ = read_nifti_place(path)
    except MedsegError:
        return 1
    return max((size for size in shape[3:]), default=1)
