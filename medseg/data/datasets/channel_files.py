"""Files of an image's channels: those of one case, found by a pattern for each channel.

The part of a path that the wildcards of a pattern stand for tells the case: `*/PET_image.nii.gz`
and `*/MR_image.nii.gz` have `STS_002` in common, `*_0000.nii.gz` and `*_0001.nii.gz` `case_001`.
A manifest keeps the patterns, so that a folder of new patients is read by the same names.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from medseg._checks import first_few
from medseg.data.channel import Channel
from medseg.data.datasets.case_names import case_names
from medseg.data.images.naming import image_stem
from medseg.data.patterns import captured, literal_letters, natural_key
from medseg.data.walk import walk_tree
from medseg.errors import DataError, UsageError

__all__ = ["CaseChannels", "Found", "case_channels", "channels_in", "read_channel_options"]

Key = tuple[str, ...]
SHOWN = 3


class CaseChannels(NamedTuple):
    """A case: its name, and a path for each channel in their order."""

    case: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Found:
    """Files of one channel.

    Attributes:
        name: Of the channel.
        pattern: As given.
        keys: What it matches, with what its wildcards stand for in each.
    """

    name: str
    pattern: str
    keys: Mapping[Path, Key]


def read_channel_options(texts: Sequence[str]) -> dict[str, str]:
    """Names and values of `--channel NAME=VALUE` options, in their order.

    Raises:
        UsageError: If one has no name or value, or a name comes twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        name = name.strip()
        if not (mark and value) or not name.replace("_", "").replace("-", "").isalnum():
            raise UsageError(
                f"--channel {text}: must be NAME=FILES, with a name of letters, digits, _ and -, "
                "e.g. --channel pet='*/PET.nii.gz'"
            )
        if name in pairs:
            raise UsageError(f"--channel {name}: is given twice; give each channel once")
        pairs[name] = value
    return pairs


def case_channels(found: Sequence[Found], left_out: list[str] | None = None) -> list[CaseChannels]:
    """Files of several channels by case, in the natural order of the cases.

    Args:
        found: Of each channel, in their order.
        left_out: Gets a line for each case that lacks a channel; None refuses the first.

    Raises:
        DataError: If a case lacks a channel, or has two files for one.
        UsageError: If two channels are the same files.
    """
    owned = _owned(found)
    cases = _cut([[one.keys[path] for path in owned[one.name]] for one in found])
    by_case = [
        _by_case(one.name, owned[one.name], keys) for one, keys in zip(found, cases, strict=True)
    ]
    every = sorted(
        {key for files in by_case for key in files}, key=lambda k: natural_key("/".join(k))
    )
    lacking = {key: line for key in every if (line := _lacking(key, found, by_case))}
    if lacking and left_out is None:
        raise DataError(next(iter(lacking.values())))
    if left_out is not None:
        left_out.extend(lacking.values())
    every = [key for key in every if key not in lacking]
    texts = _texts(every, by_case[0])
    names = case_names(texts.values())
    return [
        CaseChannels(names[texts[key]], tuple(files[key] for files in by_case)) for key in every
    ]


def channels_in(
    folder: Path, channels: Sequence[Channel], left_out: list[str] | None = None
) -> list[CaseChannels]:
    """Cases below a folder whose files are named as the manifest's patterns say.

    Args:
        folder: The folder.
        channels: Of the manifest, with `files`.
        left_out: See `case_channels`.

    Raises:
        DataError: If a channel has no pattern, no file matches, or a case lacks a channel.
    """
    patterns = {channel.name: channel.files or "" for channel in channels}
    if not all(patterns.values()):
        names = " ".join(f"--channel {channel.name}=FILE" for channel in channels)
        raise DataError(
            f"{folder}: which files are which channel is not known here; give {names} instead of a "
            "folder"
        )
    tails = _tails(patterns)
    tree = walk_tree(folder)
    below = {path.relative_to(folder).as_posix(): path for path in tree.files}
    below |= {
        parent.as_posix(): folder / parent
        for name in below
        for parent in PurePosixPath(name).parents
        if parent.name
    }
    found = [Found(name, tail, _matches(f"**/{tail}", below)) for name, tail in tails.items()]
    if not any(one.keys for one in found):
        naming = ", ".join(f"{name} {tail}" for name, tail in tails.items())
        raise DataError(
            f"{folder}: holds no file named as the channels are: {naming}; rename them, or give "
            f"{' '.join(f'--channel {name}=FILE' for name in tails)}"
        )
    return case_channels(found, left_out)


def _matches(pattern: str, below: Mapping[str, Path]) -> dict[Path, Key]:
    keys = {path: captured(pattern, name) for name, path in below.items()}
    return {path: key for path, key in keys.items() if key is not None}


def _tails(patterns: Mapping[str, str]) -> dict[str, str]:
    """Ends of the patterns, of as few folders as tell the channels apart."""
    parts = {name: PurePosixPath(pattern).parts for name, pattern in patterns.items()}
    longest = max(map(len, parts.values()))
    for count in range(1, longest + 1):
        tails = {name: "/".join(each[-count:]) for name, each in parts.items()}
        if len(set(tails.values())) == len(tails):
            return tails
    return dict(patterns)


def _owned(found: Sequence[Found]) -> dict[str, list[Path]]:
    """The files of each channel; one that two patterns match is that of the nearer pattern."""
    owned: dict[str, list[Path]] = {one.name: [] for one in found}
    takers: dict[Path, list[Found]] = {}
    for one in found:
        for path in one.keys:
            takers.setdefault(path, []).append(one)
    for path, those in takers.items():
        near = sorted(those, key=lambda one: -literal_letters(one.pattern))
        if len(near) > 1 and literal_letters(near[0].pattern) == literal_letters(near[1].pattern):
            both = f"--channel {near[0].name} and --channel {near[1].name}"
            raise UsageError(f"{both} both name {path}; narrow one of them")
        owned[near[0].name].append(path)
    return owned


def _cut(sides: Sequence[Sequence[Key]]) -> list[list[Key]]:
    """Keys with as many parts as the channel of fewest wildcards has, but for constant ones."""
    count = min((len(key) for side in sides for key in side), default=0)
    cut = [[key[:count] for key in side] for side in sides]
    every = [key for side in cut for key in side]
    kept = [place for place in range(count) if len({key[place] for key in every}) > 1]
    return [[tuple(key[place] for place in kept) for key in side] for side in cut]


def _by_case(name: str, paths: Sequence[Path], keys: Sequence[Key]) -> dict[Key, Path]:
    doubled = [key for key, count in Counter(keys).items() if count > 1]
    if doubled:
        same = [path for path, key in zip(paths, keys, strict=True) if key == doubled[0]]
        case = "_".join(doubled[0]) or "one case"
        raise DataError(
            f"case {case}: {len(same)} files could be its channel {name}: "
            f"{first_few(same, SHOWN)}; narrow --channel {name} to one file a case"
        )
    return dict(zip(keys, paths, strict=True))


def _lacking(key: Key, found: Sequence[Found], by_case: Sequence[Mapping[Key, Path]]) -> str | None:
    """What a case lacks, in a line; None if it has all channels."""
    one = next((one for one, files in zip(found, by_case, strict=True) if key not in files), None)
    if one is None:
        return None
    there = next(files[key] for files in by_case if key in files)
    return (
        f"case {_text(key, there)}: its channel {one.name} is missing, no file "
        f"{one.pattern} goes with {there.name}; add it, or leave the case out by narrower patterns"
    )


def _texts(keys: Sequence[Key], first: Mapping[Key, Path]) -> dict[Key, str]:
    return {key: _text(key, first[key]) for key in keys}


def _text(key: Key, path: Path) -> str:
    return "_".join(part.strip("/") for part in key if part.strip("/")) or image_stem(path)
