"""Tables as text (CSV, TSV): cells that a spreadsheet takes for formulas.

Reference:
    OWASP, CSV injection, https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from collections.abc import Iterator

from medseg.bundles.judgement.files.finding import Finding

__all__ = ["table_findings"]

# What begins a cell, but for numbers, and a sign alone, which stands for what is not there.
_FORMULA = re.compile(
    r"(?:^|[,;\t|])[ \"]*(?:[=@\uFF1D\uFF20]|"
    r"[-+\u2212\uFF0B](?![.\d]|inf\b|nan\b|[\s,;\"]|$))",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER_AND_MORE = re.compile(r"(?:^|[,;\t|])[ \"]*[-+][.\d][^,;\t|\"\n]*[|!(]", re.MULTILINE)


def table_findings(text: str) -> Iterator[Finding]:
    """The first formula of a table, if it has one.

    Args:
        text: All of the file.
    """
    found = _FORMULA.search(text) or _NUMBER_AND_MORE.search(text)
    if found is not None:
        reason = "has a cell that spreadsheets take for a formula, which can run programs"
        yield Finding("needs trust", reason, line=text.count("\n", 0, found.end()) + 1)
