"""Abstract values: what is known of a config's value without computing it.

A text that is written in a config is known letter by letter, and so is one that expressions put
together from such; of a component only its kind is known. What is not on the list is `Unknown`, for
which there is a place already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = [
    "COUNT",
    "FLAG",
    "NEVER",
    "NOTHING",
    "NUMBER",
    "PATH",
    "PLAIN",
    "TEXT",
    "UNKNOWN",
    "Either",
    "Known",
    "Listing",
    "Many",
    "Named",
    "Of",
    "Rooted",
    "Table",
    "TooLargeError",
    "Unknown",
    "Value",
    "a_kind",
    "either",
    "is_single",
    "kind_of",
    "options",
    "parts",
]

Scalar = str | int | float | bool | None
# Beyond so many alternatives a value is plain data of any content.
_MOST_OPTIONS = 40
# References repeat values without writing them again: twenty lists of the one before, twice, stand
# for a million.
_MOST_PARTS = 20_000
_MOST_TIMES = 1_000


class TooLargeError(Exception):
    """A number, text or list that no honest config has."""


def _parts_in(values: "Sequence[Value]") -> int:
    count = 1 + sum(getattr(value, "size", 1) for value in values)
    if count > _MOST_PARTS:
        raise TooLargeError
    return count


@dataclass(frozen=True)
class Known:
    """A text, number, flag or None that is known; whether the user gave it, and no bundle."""

    value: Scalar
    by_user: bool = False

    def __eq__(self, other: object) -> bool:
        # To Python, 1 and True are equal.
        return isinstance(other, Known) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[type, Scalar, bool]:
        return type(self.value), self.value, self.by_user


@dataclass(frozen=True)
class Rooted:
    """A path in a folder that the bundle may use, and what follows the folder, `/models`."""

    tail: str


@dataclass(frozen=True)
class Of:
    """Something of a kind of the rules, such as `network`, or of the plain kinds below."""

    kind: str


@dataclass(frozen=True)
class Listing:
    """A list or tuple with these values."""

    values: tuple["Value", ...]
    size: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _parts_in(self.values))


@dataclass(frozen=True)
class Many:
    """A list of unknown length, with values like this one, or several such put together."""

    value: "Value"
    times: int = 1

    @property
    def size(self) -> int:
        """Number of values in it that are told apart."""
        return _parts_in((self.value,))

    def __post_init__(self) -> None:
        if self.times > _MOST_TIMES:
            raise TooLargeError


@dataclass(frozen=True)
class Table:
    """A mapping with these keys and values."""

    pairs: tuple[tuple["Value", "Value"], ...]
    size: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _parts_in([part for pair in self.pairs for part in pair]))


@dataclass(frozen=True)
class Named:
    """What a dotted name of a module stands for: a module, class, function or constant.

    Attributes:
        name: Dotted.
        imported: Whether an import of the config, or MONAI, gives its first part a meaning.
    """

    name: str
    imported: bool = True


@dataclass(frozen=True)
class Unknown:
    """What is not on the list."""


@dataclass(frozen=True)
class Either:
    """One of several."""

    values: tuple["Value", ...]
    size: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _parts_in(self.values))


Value = Known | Rooted | Of | Listing | Many | Table | Named | Unknown | Either

UNKNOWN = Unknown()
# No value at all: of what refers to itself, which MONAI refuses to build.
NEVER = Either(())
NOTHING = Known(None)
TEXT = Of("text")
NUMBER = Of("number")
# A length, or a little more or less: no number of the config's choice.
COUNT = Of("count")
FLAG = Of("flag")
PATH = Of("path")
# Plain data of any content: numbers, texts, lists and mappings of such.
PLAIN = Of("plain")


def options(value: Value) -> tuple[Value, ...]:
    """The alternatives of a value; of most values itself alone."""
    return value.values if isinstance(value, Either) else (value,)


def either(values: Iterable[Value]) -> Value:
    """One of several values; Unknown if one of them is; NEVER of none."""
    values = list(values)
    if len(values) == 1 or (values and all(value is values[0] for value in values)):
        return values[0]
    several = tuple(dict.fromkeys(option for value in values for option in options(value)))
    if UNKNOWN in several:
        return UNKNOWN
    if len(several) > _MOST_OPTIONS and all(map(_is_plain, several)):
        return PLAIN
    return several[0] if len(several) == 1 else Either(several)


def _is_plain(value: Value) -> bool:
    return isinstance(value, Known) or value in (TEXT, NUMBER, COUNT, FLAG, PLAIN)


def is_single(value: Value) -> bool:
    """Whether a value is no list or mapping."""
    return all(not isinstance(option, Listing | Many | Table) for option in options(value))


def parts(value: Value) -> tuple[Value, ...]:
    """The values in a list or mapping, and its keys; none of others."""
    if isinstance(value, Listing | Either):
        return value.values
    if isinstance(value, Many):
        return (value.value,)
    if isinstance(value, Table):
        return tuple(part for pair in value.pairs for part in pair)
    return ()


def kind_of(value: Value) -> str:
    """The kind by which the rules list attributes and methods."""
    if isinstance(value, Of):
        return value.kind
    if isinstance(value, Rooted) or (isinstance(value, Known) and isinstance(value.value, str)):
        return "text"
    if isinstance(value, Listing | Many):
        return "list"
    return "table" if isinstance(value, Table) else "number"


def a_kind(value: Value) -> str:
    """The kinds of a value in words, for the reason of a place."""
    return f"a {' or '.join(sorted({kind_of(option) for option in options(value)}))}"
