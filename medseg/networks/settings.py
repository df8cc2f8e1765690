"""Settings that prediction repeats, checked where they are given: classes, spacing, window, patch.

A window upside down inverts every image, and a name that two classes share loses one of them, both
without an error anywhere below. Headers of weights come from anywhere, and a setting goes into a
config as it is: a patch of a million voxels along each axis would take all memory.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from medseg._checks import require_sizes, require_spacing
from medseg.errors import DataError, UsageError

__all__ = ["check_settings", "checked_setting"]

_LARGEST_PATCH = 2**14
_MOST_CLASSES = 65536
_LONGEST_NAME = 200


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse a setting of the wrong kind or range.

    Args:
        settings: `class_names`, `spacing_mm`, `pixel_size`, `window` and `patch_size` are
            checked, those of them that are there and not None.

    Raises:
        UsageError: For the first one that is wrong; it names the key.
    """
    for name, check in _CHECKS.items():
        if settings.get(name) is not None:
            check(name, settings[name])


def checked_setting(path: str | Path, name: str, value: Any) -> Any:
    """A setting of the weights at `path`, if it can be one of that name.

    Settings of other names, which only their own bundle knows, are returned as they are.

    Raises:
        DataError: If it cannot.
    """
    try:
        check_settings({name: value})
    except UsageError as error:
        reason = str(error).partition(";")[0][:150]
        remedy = "save the weights with medseg"
        raise DataError(f"{path}: its setting {reason}; {remedy}") from error
    return value


def _require_names(key: str, value: Any) -> None:
    names = list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []
    texts = [name for name in names if isinstance(name, str) and _is_name(name)]
    if not 2 <= len(texts) <= _MOST_CLASSES or len(texts) < len(names):
        own = isinstance(value, str) and value not in ("", "background")
        example = f"[background,{value}]" if own else "[background,tumour]"
        raise UsageError(
            f"{key} must be a list of names, the background's first, got {value!r:.80}; write "
            f"{key}={example:.80}"
        )
    if len(set(texts)) < len(texts):
        twice = next(name for place, name in enumerate(texts) if name in texts[:place])
        raise UsageError(f"{key} must be different names, got {twice!r} twice")


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME and text.isprintable()


def _require_patch(key: str, value: Any) -> None:
    if max(require_sizes(key, value)) > _LARGEST_PATCH:
        raise UsageError(f"{key} must be at most {_LARGEST_PATCH} along an axis, got {value!r:.80}")


def _require_window(key: str, value: Any) -> None:
    numbers = list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []
    is_pair = len(numbers) == 2 and all(
        isinstance(number, int | float) and not isinstance(number, bool) for number in numbers
    )
    # Not "or": a comparison with NaN is false, and infinite ends make every voxel one value.
    if not (is_pair and -1e30 < numbers[0] < numbers[1] < 1e30):
        turned = is_pair and numbers[0] > numbers[1]
        write = f"; write {key}=[{numbers[1]},{numbers[0]}]" if turned else ""
        raise UsageError(f"{key} must be two numbers [low, high], rising, got {value!r:.80}{write}")


_CHECKS: dict[str, Callable[[str, Any], object]] = {
    "class_names": _require_names,
    "spacing_mm": require_spacing,
    "pixel_size": require_spacing,
    "patch_size": _require_patch,
    "window": _require_window,
}
