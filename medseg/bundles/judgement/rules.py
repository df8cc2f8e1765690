"""Rules of the judgement: what a config may name, read from `rules.yaml` and a site's own file."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medseg._user_folder import user_folder
from medseg.bundles.judgement.verdict import Grade
from medseg.bundles.plain_yaml import read_config_file
from medseg.errors import UsageError

__all__ = ["Argument", "Call", "Danger", "Kind", "Rules", "load_rules", "own_rules"]

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$")]
Word = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]*$")]
Reason = Annotated[str, Field(min_length=3)]
Scalar = str | int | float | bool | None
_RULES = "rules.yaml"
_CLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Argument(_Model):
    """What an argument may be, where a value could have power.

    Attributes:
        only: `path` stays in the bundle's or the user's folders; `dtype` is a type of numbers;
            `single` is no list or mapping; `cases` holds no text of unknown content, such as
            one of the weights' header, which could be a path.
        one_of: The only values; for a list, for each of its values.
        bundle_may_say: The only values that a bundle may give; a user may give others.
        ends: How a path has to end.
        most: The largest number; a length, whatever it is, is no larger than what it counts.
    """

    only: Literal["path", "dtype", "single", "cases", "anything"] = "anything"
    one_of: tuple[Scalar, ...] | None = None
    bundle_may_say: tuple[Scalar, ...] | None = None
    ends: str | None = None
    most: int | None = None


class Call(_Model):
    """A component, function or method that may be called.

    Attributes:
        why: Why it is on the list, or what it does.
        takes: Names of the arguments that any value may be given to; in the order of the
            signature where they may be given by position.
        but: Arguments that are restricted.
        needs: Arguments that it is not to be without.
        many: Whether it takes any number of values by position, each as the last of `takes`.
        gives: Kind of what it returns; see `results.given`.
    """

    why: Reason
    takes: tuple[Word, ...] = ()
    but: Mapping[Word, Argument] = {}
    needs: tuple[Word, ...] = ()
    many: bool = False
    gives: str = "part"

    def argument(self, name: str) -> Argument | None:
        """The rule of an argument; None if the call is not to have it."""
        return self.but.get(name, _ANY if name in self.takes else None)

    def name_at(self, position: int) -> str | None:
        """Name of the argument that is given at a position."""
        if self.many and self.takes:
            position = min(position, len(self.takes) - 1)
        return self.takes[position] if position < len(self.takes) else None


class Kind(_Model):
    """What an expression may ask of a value: attributes by the kind of theirs, and methods."""

    attributes: Mapping[Word, str] = {}
    methods: Mapping[Word, Call] = {}


class Danger(_Model):
    """What is said of a name that is not on the list, and how grave it is.

    Attributes:
        could: What it could do, as in `runs any command`.
        grade: Refused, if it has no honest use in a config.
    """

    could: Reason
    grade: Grade = "needs trust"


class Rules(_Model):
    """All rules; the keys of `rules.yaml`, which describes each."""

    components: Mapping[Name, Call] = {}
    functions: Mapping[Name, Call] = {}
    values: Mapping[Name, str] = {}
    kinds: Mapping[Word, Kind] = {}
    imports: Mapping[Name, Reason] = {}
    forms: Mapping[str, Reason] = {}
    keys: Mapping[str, Argument] = {}
    dangers: Mapping[str, Danger] = {}


_ANY = Argument()


def load_rules() -> Rules:
    """The rules of medseg, with those that this site adds.

    A site adds its own in the file that `MEDSEG_RULES` names, or else in `rules.yaml` of the user
    folder.

    Raises:
        UsageError: If a site's file is wrong, in one line.
    """
    return _load(os.environ.get("MEDSEG_RULES"), str(user_folder() / _RULES))


@cache
def own_rules() -> Rules:
    """The rules of medseg alone."""
    text = files("medseg.bundles.judgement").joinpath(_RULES).read_text(encoding="utf-8")
    return Rules.model_validate(yaml.load(text, _CLoader))


def _load(named: str | None, otherwise: str) -> Rules:
    path = Path(named or otherwise)
    if not named and not path.is_file():
        return own_rules()
    return _site_rules(str(path), _stamp(path))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UsageError(
            f"{path}: rules cannot be read ({error.strerror}); correct MEDSEG_RULES"
        ) from error
    return status.st_mtime_ns, status.st_size


@cache
def _site_rules(path: str, stamp: tuple[int, int]) -> Rules:
    own = own_rules()
    try:
        added = Rules.model_validate(read_config_file(path))
    except ValidationError as error:
        problem = error.errors()[0]
        key = "#".join(str(part)[:60] for part in problem["loc"])
        raise UsageError(f"{path}: {key}: {problem['msg']:.100}; correct the rules") from error
    sections: dict[str, Any] = {}
    for section in Rules.model_fields:
        ours, theirs = getattr(own, section), getattr(added, section)
        twice = next((name for name in theirs if name in ours), None)
        if twice is not None:
            raise UsageError(f"{path}: {section}#{twice}: medseg has this rule; a site only adds")
        sections[section] = {**ours, **theirs}
    return Rules.model_construct(**sections)
