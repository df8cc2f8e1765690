"""Audit of constraints.txt for known vulnerabilities, where PyPI's database of them is reached.

Fails for a vulnerability that is found, and only for that. What could not be looked up, such as all
packages on a machine without a network, is said aloud: nobody is to believe that it was audited.
pip-audit by itself says then that no vulnerabilities are known.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Run pip-audit, of the tools in the folder named on the command line."""
    tools = ROOT / sys.argv[1]
    made = subprocess.run(["make", "--silent", f"{sys.argv[1]}/.ready"], cwd=ROOT, check=False)
    if made.returncode:
        print("audit: SKIPPED, not passed: its tools could not be installed")  # noqa: T201
        return 0
    # The pins as they are: nothing is resolved or downloaded.
    options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    audit = [str(tools / "bin" / "pip-audit"), "--requirement", str(ROOT / "constraints.txt")]
    ran = subprocess.run([*audit, *options], check=False, capture_output=True, text=True)
    try:
        packages = json.loads(ran.stdout)["dependencies"]
    except (KeyError, ValueError):
        reason = (ran.stderr.strip() or "no answer").splitlines()[-1]
        print(f"audit: SKIPPED, not passed: {reason}")  # noqa: T201
        return 0
    return report(packages)


def report(packages: list[dict[str, Any]]) -> int:
    """Print what was found and what could not be looked up; the exit code."""
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if skipped:
        what = f"{len(skipped)} of {len(packages)} packages, which PyPI did not answer for"
        print(f"audit: SKIPPED, not passed: {what}")  # noqa: T201
    found = [(one, bug) for one in packages for bug in one.get("vulns", [])]
    for one, bug in found:
        mended = ", ".join(bug["fix_versions"]) or "no version"
        print(f"audit: {one['name']} {one['version']}: {bug['id']}, mended in {mended}")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
