"""Recipe: read, change and build a config of transforms without a bundle.

A bundle copies the sections of a recipe and defines its keys; the file in `transforms/` has
defaults for them, so that users can preview and test it before training.
"""

import difflib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast, get_args

from monai.bundle.config_parser import ConfigParser

import medseg
from medseg._quiet import quiet_libraries
from medseg.bundles.complaints import users_error
from medseg.bundles.opened import open_config_file
from medseg.bundles.overrides import parse_overrides
from medseg.bundles.values import check_values
from medseg.errors import UsageError

__all__ = ["Section", "build_steps", "carry_along", "find_recipe", "read_recipe"]

Section = Literal["preprocessing_steps", "label_steps", "augmentation_steps"]
Config = dict[str, Any]
Step = Callable[[Any], Any]

# The current folder, and the repository that medseg is run from, if it is.
_ROOTS = (Path(), Path(medseg.__file__).parents[1])
WARP = "medseg.transforms.RandWarpPatchd"


def find_recipe(recipe: str | Path) -> Path:
    """Find the file of a recipe.

    Args:
        recipe: A YAML file; a bundle's folder, whose `train.yaml` holds its recipe; or the name of
            a recipe or a bundle in `transforms/` or `bundles/`, of the current folder or of the
            repository.

    Raises:
        UsageError: If there is none; it names those there are.
    """
    path = Path(recipe)
    named = path.name == str(recipe) and not path.suffix
    for file in _candidates(path, named=named):
        if file.is_file():
            return file
    file = Path("transforms") / f"{recipe}.yaml" if named else path
    near = difflib.get_close_matches(path.stem, there := _recipes(file, named=named), n=3) or there
    hint = f"there is {', '.join(near)}" if near else "give the path of a YAML file or of a bundle"
    raise UsageError(f"{file}: no such recipe; {hint}")


def _candidates(path: Path, *, named: bool) -> list[Path]:
    bundled = Path("configs") / "train.yaml"
    if not named:
        return [path, path / bundled]
    names = [Path("transforms") / f"{path}.yaml", Path("bundles") / path / bundled]
    return [path / bundled, *(root / name for root in _ROOTS for name in names)]


def _recipes(file: Path, *, named: bool) -> list[str]:
    """Names of the recipes there are, and of the bundles, which have one each."""
    if not named:
        return sorted(other.stem for other in file.parent.glob("*.yaml"))
    recipes = {path.stem for root in _ROOTS for path in (root / "transforms").glob("*.yaml")}
    bundles = {
        path.parents[1].name
        for root in _ROOTS
        for path in root.glob("bundles/*/configs/train.yaml")
    }
    return [*sorted(recipes), *sorted(bundles)]


def read_recipe(path: Path, pairs: Sequence[str] = ()) -> Config:
    """Read a recipe as plain data, nothing evaluated.

    Args:
        path: The YAML file.
        pairs: `KEY=VALUE` texts that change it, e.g. `patch_size=[64,64,64]`.

    Raises:
        UsageError: If it is not a recipe, or an override is wrong.
        NeedsTrustError: If the recipe, or the bundle that it is of, is neither safe nor trusted.
        RefusedError: If no trust suffices for it.
    """
    opened = open_config_file(path)
    config = opened.merged
    for section in get_args(Section):
        if not isinstance(config.get(section), list):
            raise UsageError(f"{path}: no list of {section}; write [] if there are none")
    changed = opened.changed(parse_overrides(pairs, config))
    with _one_line(path):
        check_values({**changed, "_meta_": {}}, config)
    return changed


def carry_along(config: Config, key: str, interpolation: str, record_key: str) -> Config:
    """Make the recipe's `RandWarpPatchd` warp one more volume, and record its random draw.

    Args:
        config: The recipe; not changed.
        key: The volume's key in the sample.
        interpolation: Its interpolation mode.
        record_key: Key of the sample for the patch's start and the warp.

    Returns:
        A changed copy; an equal one if there is no such step.
    """
    steps = [
        _warping_too(step, key, interpolation, record_key) for step in config["augmentation_steps"]
    ]
    return {**config, "augmentation_steps": steps}


def _warping_too(step: Any, key: str, interpolation: str, record_key: str) -> Any:
    if not isinstance(step, Mapping):
        return cast("object", step)
    given = cast("Mapping[str, Any]", step)
    if given.get("_target_") != WARP:
        return given
    return {
        **given,
        "keys": _with(given.get("keys", []), key),
        "modes": _with(given.get("modes", []), interpolation),
        "record_key": record_key,
    }


def _with(given: Any, more: str) -> Any:
    if isinstance(given, str) and given.startswith(("@", "$")):
        return f"$list({given.removeprefix('$')}) + ['{more}']"
    return [given, more] if isinstance(given, str) else [*given, more]


def build_steps(config: Config, section: Section, path: Path) -> list[Step]:
    """Build the transforms of one section.

    Args:
        config: As `read_recipe` returns it.
        section: The section.
        path: File of the recipe, for errors.

    Raises:
        UsageError: If a step, one of its arguments or a key that it refers to is wrong.
    """
    with _one_line(path):
        parser = cast("Any", ConfigParser(config))
        parser.parse()
        steps = cast("list[Any]", parser.get_parsed_content(section))
    for index, step in enumerate(steps):
        if not callable(step):
            raise UsageError(f"{path}: {section}, step {index + 1} is not a transform: {step!r}")
    return steps


@contextmanager
def _one_line(path: Path) -> Generator[None]:
    try:
        with quiet_libraries():
            yield
    except Exception as error:
        users = users_error(error)
        if users is None:
            raise
        raise type(users)(_at(path, str(users))) from error


def _at(path: Path, message: str) -> str:
    return message if str(path) in message else f"{path}: {message}"
