"""Paths taken out of texts that leave the machine: folders tell of users and of patients."""

import re

__all__ = ["without_paths"]

# An absolute path, of Unix or Windows, with at least one folder; not the middle of a URL or of a
# relative path.
_ABSOLUTE = re.compile(r"(?<![\w./:\\])(?:[A-Za-z]:[\\/]|~?/)(?:[^'\":,;|<>\\/\n]+[\\/])+")


def without_paths(text: str) -> str:
    """The text with the folders of absolute paths left out: `/home/me/x.nii.gz` is `.../x.nii.gz`.

    Folders may have spaces in their names, so words between two paths may go with them.
    """
    return _ABSOLUTE.sub(".../", text)
