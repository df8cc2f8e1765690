"""medseg: U-Nets for 2-D and 3-D medical images, as MONAI bundles.

Code is in this package. What to do with it is declared, without any Python, in
three folders beside it: `data_manifests/`, `transforms/` and `bundles/`.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
