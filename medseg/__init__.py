"""medseg: U-Nets for 2-D and 3-D medical images, as MONAI bundles.

The code is in this package. How it is used is declared, without any Python, in
three folders beside it: `data_manifests/`, `transforms/` and `bundles/`.
"""

import getpass
import os

# MONAI imports MLflow if it is installed, and MLflow sends telemetry by default. A tool that works
# on patients' images must send nothing.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def _name_user() -> None:
    """Give a user without an entry in the system's list a name, as in many containers.

    MONAI asks for the user's name when it is imported, and torch for its caches.
    """
    if any(os.environ.get(name) for name in ("LOGNAME", "USER", "LNAME", "USERNAME")):
        return
    try:
        getpass.getuser()
    except (ImportError, KeyError, OSError):
        os.environ["LOGNAME"] = "user"


_name_user()

__version__ = "0.1.0"

__all__ = ["__version__"]
