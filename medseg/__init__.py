"""medseg: U-Nets for 2-D and 3-D medical images, as MONAI bundles.

The code is in this package. How it is used is declared, without any Python, in
three folders beside it: `data_manifests/`, `transforms/` and `bundles/`.
"""

import os

# MONAI imports MLflow if it is installed, and MLflow sends telemetry by default. A tool that works
# on patients' images must send nothing.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

__version__ = "0.1.0"

__all__ = ["__version__"]
