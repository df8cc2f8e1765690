"""One-line errors of damaged image files, whatever exception the damage raised."""

import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from isal import isal_zlib
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from medseg.data.problems import InputError, Problem, Where, refusal

__all__ = ["damage_as_value_error", "one_line_errors"]

DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    OverflowError,
    ValueError,
    # Pillow's, of a chunk or of its metadata.
    SyntaxError,
    zlib.error,
    cast("type[Exception]", isal_zlib.error),
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)


@contextmanager
def damage_as_value_error() -> Generator[None]:
    """Whatever a damaged file makes a decoder raise, as one kind of error; for `one_line_errors`.

    pillow and tifffile raise SyntaxError, KeyError, struct.error and more.

    Raises:
        ValueError: If the body raised any error but those of medseg, of the system and of memory.
    """
    try:
        yield
    except (InputError, OSError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(str(error) or type(error).__name__) from error


@contextmanager
def one_line_errors(path: Path, where: Where, format_name: str) -> Generator[None]:
    """Raise whatever damage of a file shows as one line.

    Raises:
        InputError: If the body raised one, or an error of damage or memory.
    """
    try:
        yield
    except MemoryError as error:
        what = "larger than the memory, or its header is damaged"
        remedy = "copy the file again, or use a machine with more memory"
        raise refusal(path, Problem("error", where, what, remedy)) from error
    except InputError:
        raise
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        what = f"cannot be read as {format_name} ({reason})"
        raise refusal(path, Problem("error", where, what, "copy or export it again")) from error
