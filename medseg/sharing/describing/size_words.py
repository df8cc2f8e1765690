"""Size of a file in words: `5.4 MB`, `1.1 kB`."""

__all__ = ["size_words"]


def size_words(size: int) -> str:
    """A size in bytes, as megabytes or, if it is small, as kilobytes (of 1000 bytes)."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
