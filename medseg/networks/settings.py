"""Settings that prediction repeats, checked where they are given: classes, spacing, window, patch.

A window upside down inverts every image, and a name that two classes share loses one of them, both
without an error anywhere below.
"""

from collections.abc import Mapping
from typing import Any, cast

from medseg._checks import require_sizes, require_spacing
from medseg.errors import UsageError

__all__ = ["check_settings"]


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse a setting of the wrong kind or range.

    Args:
        settings: `class_names`, `spacing_mm`, `pixel_size`, `window` and `patch_size` are
            checked, those of them that are there.

    Raises:
        UsageError: For the first one that is wrong; it names the key.
    """
    if "class_names" in settings:
        _require_names(settings["class_names"])
    for name in ("spacing_mm", "pixel_size"):
        if name in settings:
            require_spacing(name, settings[name])
    if "patch_size" in settings:
        require_sizes("patch_size", settings["patch_size"])
    if settings.get("window") is not None:
        _require_window(settings["window"])


def _require_names(value: Any) -> None:
    names = list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []
    texts = [name for name in names if isinstance(name, str) and name]
    if len(texts) < 2 or len(texts) < len(names):
        own = isinstance(value, str) and value not in ("", "background")
        example = f"[background,{value}]" if own else "[background,tumour]"
        raise UsageError(
            "class_names must be a list of names, the background's first, got "
            f"{value!r:.80}; write class_names={example}"
        )
    twice = next((name for name in texts if texts.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"class_names must differ, got {twice!r} twice")


def _require_window(value: Any) -> None:
    numbers = list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []
    is_pair = len(numbers) == 2 and all(
        isinstance(number, int | float) and not isinstance(number, bool) for number in numbers
    )
    # Not "or": a comparison with NaN is false, and infinite ends make every voxel one value.
    if not (is_pair and -1e30 < numbers[0] < numbers[1] < 1e30):
        turned = is_pair and numbers[0] > numbers[1]
        write = f"; write window=[{numbers[1]},{numbers[0]}]" if turned else ""
        raise UsageError(
            f"window must be two numbers [low, high], rising, got {value!r:.80}{write}"
        )
