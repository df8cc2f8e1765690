"""Copies of recipes, common parts and manifests in bundles, kept equal to their originals.

A bundle must be complete in its zip and readable on its own, so each of its configs
contains the text of its recipe, with comments, between two marker lines:

    # --- recipe ct_chest: preprocessing_steps, label_steps (a copy: edit transforms/ct_chest.yaml)
    preprocessing_steps: ...
    label_steps: ...
    # --- end of recipe

and likewise the parts that it shares with other bundles, from `bundles/common.yaml`, where
they are between the same two lines:

    # --- part training (a copy: edit bundles/common.yaml)
    train: ...
    # --- end of part

Duplication is allowed, but a difference fails a test.
"""

import re
from pathlib import Path

from medseg._files import write_atomically
from medseg.bundles.judgement.snapshot import MOST_BYTES
from medseg.bundles.judgement.tree import read_regular
from medseg.errors import UsageError

__all__ = ["drifted_copies", "sync_copies"]

_COPY = re.compile(
    r"(?P<head>^# --- recipe (?P<recipe>\w+): (?P<keys>\w+(?:, \w+)*)[^\n]*\n)(?P<text>.*?)"
    r"(?P<foot>^# --- end of recipe$)",
    re.MULTILINE | re.DOTALL,
)
_PART = re.compile(
    r"(?P<head>^# --- part (?P<part>\w+)[^\n]*\n)(?P<text>.*?)(?P<foot>^# --- end of part$)",
    re.MULTILINE | re.DOTALL,
)


def sync_copies(repository: str | Path) -> list[Path]:
    """Rewrite the copies that differ from their originals.

    Args:
        repository: The folder with `transforms/`, `data_manifests/` and `bundles/`.

    Returns:
        The files that were written.

    Raises:
        UsageError: If the folder has no bundles, a copy has no original, or a file or one of its
            folders is a link, which may lead out of the repository.
        DataError: If a file is no regular one.
    """
    changed = _differences(Path(repository))
    for path, text in changed.items():
        write_atomically(
            path, lambda temporary, text=text: temporary.write_text(text, encoding="utf-8")
        )
    return sorted(changed)


def drifted_copies(repository: str | Path) -> list[Path]:
    """The files that `sync_copies` would write."""
    return sorted(_differences(Path(repository)))


def _differences(repository: Path) -> dict[Path, str]:
    if not (repository / "bundles").is_dir():
        raise UsageError(f"{repository}: no bundles/ in this folder; use the repository's root")
    expected = {
        path: _with_parts(
            _with_recipes(_text(path, repository), repository), repository / "bundles/common.yaml"
        )
        for path in sorted(repository.glob("bundles/*/configs/*.yaml"))
    }
    for original in sorted(repository.glob("data_manifests/*.json")):
        for copy in repository.glob(f"bundles/*/configs/{original.name}"):
            expected[copy] = _text(original, repository)
    return {path: text for path, text in expected.items() if _text(path, repository) != text}


def _text(path: Path, repository: Path) -> str:
    """Text of a file of the repository itself.

    What is copied here is written, and a linked folder of a bundle may lie anywhere on the disk.
    """
    for place in (path, *path.parents):
        if place == repository:
            break
        if place.is_symlink():
            raise UsageError(f"{place}: is a link, which sync does not follow; put the file there")
    return read_regular(path, MOST_BYTES).decode("utf-8")


def _with_recipes(config: str, repository: Path) -> str:
    def fill(match: re.Match[str]) -> str:
        recipe = repository / "transforms" / f"{match['recipe']}.yaml"
        sections = [_section(recipe, key, repository) for key in match["keys"].split(", ")]
        return match["head"] + "".join(sections) + match["foot"]

    return _COPY.sub(fill, config)


def _with_parts(config: str, common: Path) -> str:
    text = _text(common, common.parents[1]) if common.is_file() else ""
    parts = {match["part"]: match["text"] for match in _PART.finditer(text)}

    def fill(match: re.Match[str]) -> str:
        if match["part"] not in parts:
            raise UsageError(f"{common}: no part {match['part']}, but a bundle copies it")
        return match["head"] + parts[match["part"]] + match["foot"]

    return _PART.sub(fill, config)


def _section(recipe: Path, key: str, repository: Path) -> str:
    if not recipe.is_file():
        raise UsageError(f"{recipe}: no such recipe, but a bundle copies it")
    # From the key's line to the next key or comment in the first column.
    match = re.search(rf"^{key}:.*\n(?:(?:[ \t-].*)?\n)*", _text(recipe, repository), re.MULTILINE)
    if match is None:
        raise UsageError(f"{recipe}: no key {key}, but a bundle copies it")
    return match[0].rstrip("\n") + "\n"
