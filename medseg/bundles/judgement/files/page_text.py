"""Texts that are shown as pages, such as a model card: links and marks that run something.

Code in a card is searched as well: what is code to one reader of Markdown is a page to the next.
"""

import re
from bisect import bisect_left as bisect
from collections.abc import Iterator

from medseg.bundles.judgement.files.finding import Finding

__all__ = ["card_findings", "page_findings"]

# A link that opens a file of the reader's machine, runs a script, or brings a page with it.
_SCHEME = re.compile(
    r"(file|javascript|vbscript|data|blob|smb|ms-[a-z]+|search-ms|shell|jar|view-source):",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"\]\(\s*(?:<(?P<angle>[^>]{0,1000})|(?P<inline>[^)\s]+))"
    r"|^[ ]{0,3}\[[^\]\n]+\]:\s*<?(?P<reference>[^\s>]+)"
    r"|<(?P<auto>[a-zA-Z][a-zA-Z0-9+.-]*:[^>\s]+)>"
    r"|(?:href|src|action|formaction|data|poster|srcset|content)\s*=\s*"
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s>]+))",
    re.IGNORECASE | re.MULTILINE,
)
# Marks that no card has a use for, and others that are names of parameters, too: <form>.
_MARK = re.compile(
    r"<\s*(?:script|iframe|object|embed|applet|frameset|portal)\b"
    r"|<\s*(?:form|base|link|meta|style|svg|math|template)\s+[\w:-]+\s*="
    r"|[\s\"'/]on[a-z]{3,20}\s*=\s*[^\s=]",
    re.IGNORECASE,
)
# Letters by number, which hide what a link begins with.
_ENTITY = re.compile(r"&(#|colon;|tab;|newline;)", re.IGNORECASE)


def card_findings(text: str) -> Iterator[Finding]:
    """What a page made of this Markdown could run or open.

    Args:
        text: All of the file.
    """
    ends = [end.start() for end in re.finditer("\n", text)]
    for mark in _MARK.finditer(text):
        shown = " ".join(mark[0].split())[:40]
        reason = f"{shown!a} in a page runs, or brings in, something else"
        yield Finding("needs trust", reason, line=bisect(ends, mark.start()) + 1)
    for link in _LINK.finditer(text):
        target = next((found for found in link.groups() if found), "")
        if _opens_else(target):
            reason = f"the link {target[:60]!a} opens something else than a page of the web"
            yield Finding("needs trust", reason, line=bisect(ends, link.start()) + 1)


def page_findings(text: str, what: str) -> Iterator[Finding]:
    """The finding for HTML, SVG and the like, which a browser runs as a program.

    Args:
        text: All of the file.
        what: Its name in words.
    """
    scripts = " with scripts" if any(card_findings(text)) else ""
    yield Finding("needs trust", f"is {what}{scripts}, which runs in the browser that opens it")


def _opens_else(target: str) -> bool:
    # A share of a network, to which Windows sends the reader's name and a hash of the password.
    if re.match(r"\s*[\\/]\s*[\\/]", target):
        return True
    # Browsers leave blanks and controls out.
    plain = re.sub(r"[\x00-\x20\\]", "", target)
    return _SCHEME.match(plain) is not None or _ENTITY.search(plain.partition("/")[0]) is not None
