"""Requirements of a packed bundle: the packages that it needs, with the versions at hand."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

__all__ = ["requirements_text"]

_ALWAYS = ("medseg", "monai", "numpy", "torch")


def requirements_text(needed: Mapping[str, str]) -> bytes:
    """`requirements.txt`: what the bundle was packed with.

    Args:
        needed: The `required_packages_version` of its metadata; their versions count where a
            package is not installed here.
    """
    stated = {**dict.fromkeys(_ALWAYS, ""), **needed}
    lines = [f"{name}=={_version(name, otherwise)}" for name, otherwise in sorted(stated.items())]
    return "\n".join(["# Packed with these: pip install -r requirements.txt", *lines, ""]).encode()


def _version(package: str, otherwise: str) -> str:
    try:
        # The build for a CPU is named 2.13.0+cpu, which no index has under that name.
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return otherwise
