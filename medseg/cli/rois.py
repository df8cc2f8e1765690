"""`--rois 'GTV*=tumour'`: patterns of names in DICOM labels, and the classes that they are."""

from collections.abc import Mapping, Sequence

from medseg.errors import UsageError

__all__ = ["named_by", "parse_rois"]


def parse_rois(options: Sequence[str] | None) -> dict[str, str]:
    """Patterns and their classes, in the order given.

    Raises:
        UsageError: If one is not `PATTERN=CLASS`, or a pattern is given twice.
    """
    rois: dict[str, str] = {}
    for option in options or ():
        pattern, mark, name = option.rpartition("=")
        if not mark or not pattern.strip() or not name.strip():
            raise UsageError(f"--rois {option}: must be PATTERN=CLASS, as --rois 'GTV*=tumour'")
        if pattern.strip() in rois:
            raise UsageError(f"--rois {option}: {pattern.strip()!r} is given twice; keep one")
        rois[pattern.strip()] = name.strip()
    return rois


def named_by(rois: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the classes, the background's first, if only patterns say them; empty without."""
    return ("background", *dict.fromkeys(rois.values())) if rois else ()
