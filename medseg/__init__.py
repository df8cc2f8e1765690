"""medseg: U-Nets for 2-D and 3-D medical images, as MONAI bundles.

Code is in this package. What to do with it is declared, without any Python, in
three folders beside it: `data_manifests/`, `transforms/` and `bundles/`.
"""

import os

# MONAI imports MLflow where it is installed, and MLflow reports to its makers unless told not to.
# A tool that works on patients' images sends nothing.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

__version__ = "0.1.0"

__all__ = ["__version__"]
