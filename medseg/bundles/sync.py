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

Duplication is allowed, but a difference fails a test. The package has copies of the originals, too,
from which `medseg plan` and `medseg bundle new` write bundles where there is no repository.
"""

from pathlib import Path

from medseg._files import write_atomically
from medseg.bundles.judgement.snapshot import MOST_BYTES
from medseg.bundles.judgement.tree import read_regular
from medseg.bundles.marked_text import filled
from medseg.errors import UsageError

__all__ = ["drifted_copies", "sync_copies"]

# Of the writer of new bundles: what it fills them from, and what they are complete with.
PACKAGED = Path("medseg/bundles/writing/copies")


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
        path: _filled(_text(path, repository), repository)
        for path in sorted(repository.glob("bundles/*/configs/*.yaml"))
    }
    for original in sorted(repository.glob("data_manifests/*.json")):
        for copy in repository.glob(f"bundles/*/configs/{original.name}"):
            expected[copy] = _text(original, repository)
    expected.update(_packaged(repository))
    return {path: text for path, text in expected.items() if _stands(path, repository) != text}


def _stands(path: Path, repository: Path) -> str | None:
    return _text(path, repository) if path.is_file() or path.is_symlink() else None


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


def _filled(config: str, repository: Path) -> str:
    def recipe_text(name: str) -> str:
        recipe = repository / "transforms" / f"{name}.yaml"
        if not recipe.is_file():
            raise UsageError(f"{recipe}: no such recipe, but a bundle copies it")
        return _text(recipe, repository)

    common = repository / "bundles/common.yaml"
    text = _text(common, repository) if common.is_file() else ""
    return filled(config, recipe_text, text, origin=str(common))


def _packaged(repository: Path) -> dict[Path, str]:
    """What the package's copies should hold; a repository without the package has none."""
    folder = repository / PACKAGED
    if not folder.is_dir():
        return {}
    originals = [*repository.glob("transforms/*.yaml"), repository / "bundles/common.yaml"]
    return {folder / path.name: _text(path, repository) for path in originals}
