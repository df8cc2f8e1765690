"""Paths taken out of texts that leave the machine: folders tell of users and of patients."""

import re
from pathlib import Path

__all__ = ["without_paths"]

# An absolute path, of Unix or Windows, with at least one folder; not the middle of a URL or of a
# relative path. JSON doubles the separators of Windows.
_ABSOLUTE = re.compile(r"(?<![\w./:\\])(?:[A-Za-z]:[\\/]+|~?/)(?:[^\s'\":,;|<>()\\/]+[\\/]+)+")


def without_paths(text: str) -> str:
    """The text with the folders of absolute paths left out: `/home/me/x.nii.gz` is `.../x.nii.gz`.

    Where blanks in the names of folders hide their end, only the user's home and the working
    folder are sure to be recognised.
    """
    for folder in (Path.cwd(), Path.home()):
        if len(folder.parts) > 1:
            text = text.replace(f"{folder}/", "~/")
    return _ABSOLUTE.sub(".../", text)
