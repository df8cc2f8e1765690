"""Audit of constraints.txt for known vulnerabilities, where PyPI's database of them is reached.

Prints one line where it is not, and exits 0: a machine without a network can be checked all the
same, but nobody is to believe that it was audited. pip-audit by itself says then, of packages that
it could not look up, that no vulnerabilities are known, and exits 0.
"""

import json
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

DATABASE = "https://pypi.org/pypi/pip/json"
ROOT = Path(__file__).parents[1]


def reason_to_skip() -> str:
    """Why the database cannot be asked; empty if it answers with vulnerabilities."""
    try:
        with urlopen(DATABASE, timeout=10) as answer:
            known = "vulnerabilities" in json.load(answer)
    # A proxy may answer anything; ssl's and urllib's errors are OSErrors.
    except (OSError, HTTPException, ValueError) as error:
        return str(error)
    return "" if known else "no vulnerabilities in its answer"


def main() -> int:
    """Run pip-audit, of the tools in the folder named on the command line; its exit code."""
    if reason := reason_to_skip():
        print(f"audit: SKIPPED, not passed: no answer from {DATABASE} ({reason})")  # noqa: T201
        return 0
    tools = ROOT / sys.argv[1]
    subprocess.run(["make", "--silent", f"{sys.argv[1]}/.ready"], cwd=ROOT, check=True)
    audit = [str(tools / "bin" / "pip-audit"), "--requirement", str(ROOT / "constraints.txt")]
    # The pins as they are: nothing is resolved or downloaded.
    return subprocess.run(
        [*audit, "--strict", "--no-deps", "--disable-pip"], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
