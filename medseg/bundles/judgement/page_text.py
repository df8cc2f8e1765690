"""Texts that are shown as pages, such as a model card: links and marks that run something."""

import re
from collections.abc import Iterator

from medseg.bundles.judgement.finding import Finding

__all__ = ["card_findings", "page_findings"]

# A link that opens a file of the reader's machine, runs a script, or brings a page with it.
_LINK = re.compile(
    r"(?<![a-z0-9_])(file|javascript|vbscript|data|smb|ms-[a-z]+|search-ms)\s*:(?=\S)",
    re.IGNORECASE,
)
_LINK_PLACES = re.compile(
    r"\]\(\s*<?(?P<inline>[^)\s]+)|^\s{0,3}\[[^\]]+\]:\s*<?(?P<reference>\S+)"
    r"|<(?P<auto>[a-zA-Z][a-zA-Z0-9+.-]*\s*:[^>\s]+)>"
    r"|(?:href|src|action|formaction|data|poster|srcset)\s*=\s*[\"']?(?P<html>[^\"'>\s]+)",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|applet|form|base|link|meta|style|svg|math|frame"
    r"|frameset|template|portal)\b|\bon[a-z]{3,20}\s*=\s*[\"']",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(#|colon;|tab;|newline;)", re.IGNORECASE)
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")


def card_findings(text: str) -> Iterator[Finding]:
    """What a page made of this Markdown could run or open.

    Args:
        text: All of the file.
    """
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            reason = _reason(re.sub(r"`[^`]*`", "", line))
            if reason:
                yield Finding("needs trust", reason, line=number)


def page_findings(text: str, what: str) -> Iterator[Finding]:
    """The finding for HTML, SVG and the like, which a browser runs as a program.

    Args:
        text: All of the file.
        what: Its name in words.
    """
    scripts = " with scripts" if _MARK.search(text) or _LINK.search(text) else ""
    yield Finding("needs trust", f"is {what}{scripts}, which runs in the browser that opens it")


def _reason(line: str) -> str | None:
    mark = _MARK.search(line)
    if mark:
        return f"{mark[0][:40].strip()!r} in a page runs, or brings in, something else"
    for found in _LINK_PLACES.finditer(line):
        target = next(filter(None, found.groups()), "")
        plain = re.sub(r"[\x00-\x20\\]", "", target)
        link = _LINK.match(plain)
        if link or _ENTITY.search(target.partition("/")[0]):
            return f"the link {target[:60]!r} opens something else than a page of the web"
    return None
