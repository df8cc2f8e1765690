"""Create the manifest of a folder in which each channel of an image is a file of its own."""

from collections.abc import Mapping, Sequence
from glob import has_magic
from pathlib import Path, PurePosixPath

from medseg.data.channel import Channel, Modality
from medseg.data.datasets.channel_files import CaseChannels, Found, case_channels
from medseg.data.datasets.clinic_labels import pairs_by_series
from medseg.data.datasets.collect import (
    UNITS,
    DatasetInfo,
    Labelled,
    SplitPlan,
    collect_pairs,
)
from medseg.data.datasets.found_files import absolute_path, find_files
from medseg.data.datasets.pairs import Side, label_files, pair_files
from medseg.data.manifest import Manifest
from medseg.data.patterns import captured, expand_captured

__all__ = ["channel_modality", "channel_of", "collect_channels"]

# What channels are called, by modality; compared in lower case, up to the first - or _.
_NAMES: Mapping[Modality, tuple[str, ...]] = {
    "CT": ("ct", "ncct", "cta", "cbct"),
    "PT": ("pet", "pt", "suv", "fdg"),
    "MR": ("mr", "mri", "t1", "t1w", "t1c", "t1ce", "t1gd", "t2", "t2w", "flair", "dwi", "adc"),
    "US": ("us",),
}


def collect_channels(
    channels: Mapping[str, str], labels: Sequence[Path], info: DatasetInfo, plan: SplitPlan
) -> tuple[Manifest, Path]:
    """Pair the channels of each case, then as `collect_manifest`.

    Args:
        channels: The pattern of each channel's files by its name, in their order; labels have the
            grid of the first.
        labels: Absolute paths.
        info: Description supplied by the user; a channel whose name says another modality, such as
            `pet`, has that one.
        plan: How the cases are split.

    Raises:
        DataError: If files do not pair, a case lacks a channel, or a label cannot be used.
        UsageError: If two channels are the same files; and see `collect_manifest`.
    """
    taken = set(labels)
    parts = [_parts(pattern) for pattern in channels.values()]
    # Of folders that all patterns name alike, such as STS_0*, the whole name tells the case.
    alike = {part for part in parts[0] if has_magic(part) and all(part in one for one in parts)}
    found = [_found(name, pattern, taken, alike) for name, pattern in channels.items()]
    cases = case_channels(found)
    pairs = _with_labels(cases, labels)
    described = [channel_of(name, info.modality) for name in channels]
    manifest, root = collect_pairs(pairs, described, info, plan)
    named = tuple(
        channel.model_copy(update={"files": _below(pattern, root)})
        for channel, pattern in zip(manifest.channels, channels.values(), strict=True)
    )
    return manifest.model_copy(update={"channels": named}), root


def channel_of(name: str, modality: Modality) -> Channel:
    """A channel, with the modality and the unit that its name tells."""
    own = channel_modality(name) or modality
    unit = UNITS.get(own, "arbitrary")
    return Channel(name=name, unit=unit, modality=None if own == modality else own)


def channel_modality(name: str) -> Modality | None:
    """The modality that a channel's name tells, such as PT for `pet`; None if it tells none."""
    word = name.lower().replace("-", "_").partition("_")[0]
    return next((modality for modality, words in _NAMES.items() if word in words), None)


def _parts(pattern: str) -> tuple[str, ...]:
    return Path(pattern).expanduser().absolute().parts


def _found(name: str, pattern: str, labels: set[Path], alike: set[str]) -> Found:
    listed = find_files(pattern, option=f"--channel {name}=")
    keys = {absolute_path(path): key for path, key in expand_captured(pattern).items()}
    parts = _parts(pattern)
    if "**" not in parts:
        keys = {path: _key(parts, path, alike) or keys[path] for path in keys}
    return Found(name, pattern, {path: keys[path] for path in listed if path not in labels})


def _key(parts: Sequence[str], path: Path, alike: set[str]) -> tuple[str, ...]:
    if len(parts) != len(path.parts):
        return ()
    return tuple(
        piece
        for part, there in zip(parts, path.parts, strict=True)
        if has_magic(part) and part != there
        for piece in ([there] if part in alike else captured(part, there) or ())
    )


def _with_labels(cases: Sequence[CaseChannels], labels: Sequence[Path]) -> list[Labelled]:
    first = [case.paths[0] for case in cases]
    by_series = pairs_by_series(first, labels)
    sides = [
        Side(first, "images", "narrow --channel to one file a case"),
        Side(label_files(labels), "labels", "narrow --labels to one file a case"),
    ]
    partner = {pair.path: pair.partner for pair in by_series or pair_files(*sides)}
    # Of series, those that no label states are left out, as `collect_manifest` does.
    with_one = [case for case in cases if case.paths[0] in partner]
    return [Labelled(case.case, case.paths, partner[case.paths[0]]) for case in with_one]


def _below(pattern: str, root: Path) -> str:
    """The pattern below the data set's folder."""
    parts = Path(pattern).expanduser().absolute().parts
    if "**" in parts:
        return "/".join(parts[parts.index("**") :])
    return "/".join(parts[len(root.parts) :]) or PurePosixPath(pattern).name
