"""YAML and JSON outside of configs/: results and cases, and no config that is not judged."""

import re
from collections.abc import Iterator
from typing import Any, cast

from medseg.bundles.judgement.config_files import read_text
from medseg.bundles.judgement.finding import Finding
from medseg.errors import MedsegError

__all__ = ["stray_config_findings"]

# What MONAI builds or evaluates, also if its letters are written by number.
_LIVE = re.compile(r"_target_|[\"'\s:\[{,-]\$|\\u00(24|5f)", re.IGNORECASE)
_MOST_LETTERS = 1_000_000


def stray_config_findings(path: str, text: str) -> Iterator[Finding]:
    """The finding for a file that MONAI would run as a config; none for plain values.

    Args:
        path: In the bundle, outside of configs/.
        text: All of the file, or its beginning.
    """
    if not _LIVE.search(text):
        return
    try:
        live = len(text) > _MOST_LETTERS or _is_live(read_text(path, text).content)
    except MedsegError:
        live = True
    if live:
        yield Finding(
            "needs trust", "is a config outside of configs/, which may run code and is not judged"
        )


def _is_live(content: Any) -> bool:
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            pairs = cast("dict[Any, Any]", value)
            waiting.extend((*pairs, *pairs.values()))
        elif isinstance(value, list):
            waiting.extend(cast("list[Any]", value))
        elif isinstance(value, str) and (value.lstrip().startswith("$") or value == "_target_"):
            return True
    return False
