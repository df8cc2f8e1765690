"""Size of compressed DICOM pixels, as the first frame's own header states it, and frames."""

from collections.abc import Iterator

__all__ = ["coded_size", "offsets"]

ITEM = b"\xfe\xff\x00\xe0"
JPEG_START, JPEG2000_START = b"\xff\xd8", b"\xff\x4f\xff\x51"
# Starts of frame: JPEG's but for tables (C4, C8, CC), and JPEG-LS's.
FRAME_STARTS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def coded_size(pixel_data: bytes) -> tuple[int, int] | None:
    """Rows and columns in the first codestream; None if it states none, as RLE, or is cut off.

    Args:
        pixel_data: Encapsulated pixels: items, the first of which is a table of offsets.
    """
    content = next(_fragments(pixel_data), b"")
    if content.startswith(JPEG2000_START):
        # SIZ: length, capabilities, then the grid's width and height and where the image begins.
        width, height, left, top = (
            int.from_bytes(content[i : i + 4], "big") for i in (8, 12, 16, 20)
        )
        return height - top, width - left
    return _jpeg_size(content) if content.startswith(JPEG_START) else None


def offsets(pixel_data: bytes) -> int:
    """Number of frames in the table of offsets; 0 if it is empty, as it may be.

    Args:
        pixel_data: See `coded_size`.
    """
    stated = int.from_bytes(pixel_data[4:8], "little") if pixel_data[:4] == ITEM else 0
    return stated // 4


def _fragments(pixel_data: bytes) -> Iterator[bytes]:
    place, number = 0, 0
    while pixel_data[place : place + 4] == ITEM:
        length = int.from_bytes(pixel_data[place + 4 : place + 8], "little")
        if number:
            # The header is within its first part.
            yield pixel_data[place + 8 : place + 8 + min(length, 2**16)]
        place += 8 + length
        number += 1


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if marker in FRAME_STARTS:
            rows, columns = (
                int.from_bytes(content[place + i : place + i + 2], "big") for i in (5, 7)
            )
            return rows, columns
        place += 2 + length
    return None
