"""User folder: installed bundles, trust, keys and rules of one user."""

import os
from pathlib import Path

from medseg.errors import MachineError

__all__ = ["user_folder"]


def user_folder() -> Path:
    """`$MEDSEG_HOME`, or `medseg` in the user's data folder; not created here.

    It holds `bundles/` (installed ones), `trust.json`, `keys/` and `rules.yaml`. What lies in it is
    believed, so it is nobody else's: never a folder among the temporary files.

    Raises:
        MachineError: If the user has no home and `MEDSEG_HOME` is not set.
    """
    own = os.environ.get("MEDSEG_HOME")
    if own:
        return Path(own)
    data = os.environ.get("XDG_DATA_HOME")
    try:
        return Path(data or Path.home() / ".local" / "share") / "medseg"
    except RuntimeError:
        raise MachineError(
            "this user has no home folder; set MEDSEG_HOME to a folder that is this user's alone"
        ) from None
