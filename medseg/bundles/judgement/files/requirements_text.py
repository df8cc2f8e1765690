"""Requirements of a bundle: names of packages with versions, and nothing that pip would run."""

import re
from collections.abc import Iterator

from medseg._text import printable
from medseg.bundles.judgement.files.finding import Finding

__all__ = ["is_requirements", "requirement_findings"]

_VERSION = r"(==|>=|<=|~=|!=|>|<)\s*[0-9][0-9A-Za-z.*+!-]{0,40}"
_LINE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\s*(\[[A-Za-z0-9._, -]{1,100}\])?"
    rf"\s*({_VERSION}(\s*,\s*{_VERSION})*)?"
    r"\s*(;[\w\s.<>=!()\"'-]{1,200})?(\s--hash=sha256:[0-9a-f]{64})*\s*(#.*)?"
)


def is_requirements(path: str) -> bool:
    """Whether a file is of the kind that `pip install -r` reads."""
    name = path.rpartition("/")[2].lower()
    return name.startswith(("requirements", "constraints")) and name.endswith((".txt", ".in"))


def requirement_findings(text: str) -> Iterator[Finding]:
    """Lines by which pip takes code from elsewhere than its index.

    Args:
        text: All of the file.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if entry and not entry.startswith("#") and not _LINE.fullmatch(entry):
            shown = printable(entry)[:60]
            reason = f"{shown!r} may have pip fetch and run code from elsewhere than its index"
            yield Finding("needs trust", reason, line=number)
