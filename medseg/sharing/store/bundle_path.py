"""Path of a bundle that a command was given: a folder or a zip, or the name of an installed one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["GivenBundle", "bundle_path", "given_bundle"]


@dataclass(frozen=True)
class GivenBundle:
    """The bundle that a command was given.

    Attributes:
        path: A folder, or a file such as a zip.
        kept: `own` if the user gave its path, `installed` if its name: then it is read-only, and
            what a command makes goes elsewhere.
        name: Of the bundle if it is installed, else that of its path.
    """

    path: Path
    kept: Literal["own", "installed"]
    name: str


def bundle_path(given: str | Path) -> Path:
    """Path of the bundle that a command was given; see `given_bundle`."""
    return given_bundle(given).path


def given_bundle(given: str | Path) -> GivenBundle:
    """The bundle that a command was given, by path or by the name of an installed one.

    A folder with `configs` and a file are paths, whatever is installed; anything else is looked
    for in the store.

    Raises:
        UsageError: If it is neither; it names what is installed.
        DataError: If the store holds it and is damaged.
    """
    path = Path(given)
    if (path / "configs").is_dir() or path.is_file():
        return GivenBundle(path, "own", path.resolve().name)
    # A command that was given a path need not import what the store needs.
    from medseg.bundles.configs import config_paths
    from medseg.errors import UsageError
    from medseg.sharing.store.names import parse_wanted
    from medseg.sharing.store.store import find_installed, installed_bundles, installed_hint

    wanted = parse_wanted(str(given))
    if wanted is not None and installed_bundles(wanted.name):
        found = find_installed(str(given))
        return GivenBundle(found.folder, "installed", found.record.name)
    if not path.exists() and path.name == str(given):
        raise UsageError(
            f"{given}: not a bundle: neither a file or folder here nor the name of an installed "
            f"one; {installed_hint()}"
        )
    try:
        config_paths(path, [])
    except UsageError as error:
        raise UsageError(f"{error}; {installed_hint()}") from error
    return GivenBundle(path, "own", path.resolve().name)
