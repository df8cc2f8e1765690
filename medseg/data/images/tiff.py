"""TIFF files, every sample format; read with tifffile, which says what a file holds.

Pillow decodes what is compressed by LZW, JPEG or CCITT, for which tifffile wants a large library:
only in the formats that pillow reads faithfully.
"""

import re
import struct
import zlib
from collections.abc import Sequence
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from medseg._quiet import quiet_loggers
from medseg.data.images.damage import damage_as_value_error
from medseg.data.images.pillow_file import plain_samples
from medseg.data.images.samples import (
    Content,
    Samples,
    pages_refusal,
    palette_doubt,
    picture_refusal,
    turn_doubt,
    without_opaque,
)
from medseg.data.limits import require_voxels
from medseg.data.problems import Where

__all__ = ["is_tiff", "read_tiff"]

_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_NAMES = {5: "CMYK", 6: "YCbCr", 8: "CIELab"}
# Channels of each photometric interpretation that is read.
_CHANNELS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _YCBCR: 3}
_NONE, _PACKBITS, _DEFLATE, _JPEG = (1,), (32773,), (8, 32946), (7,)
_FAX, _LZW = (2, 3, 4), (5,)
# Bytes that a compressed byte can become: deflate 1032, LZW some 2700.
_MOST = 4000
# Bytes of padding, and pages whose description is looked at: the picture and its previews.
_SLACK, _MOST_PAGES = 64, 64
_REDUCED, _OLD_REDUCED = 1, 2
_SUBFILE, _OLD_SUBFILE, _ORIENTATION, _COLOURMAP = 254, 255, 274, 320
# Sizes, bits, compression, photometric, places of pixels, orientation, samples, planes, predictor,
# colours, tiles, alpha and format of samples.
_MATTER = {
    *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320),
    *(322, 323, 324, 325, 338, 339),
}
# Offsets and lengths of strips and tiles; whole numbers of 2, 4 and 8 bytes.
_PLACES, _PLACE_KINDS = (273, 279, 324, 325), {3, 4, 13, 16, 18}
_IMAGEJ = re.compile(r"^(images|slices|frames|channels)=(\d{1,9})\s*$", re.M)
_OME = re.compile(r'\bSize[ZT]="(\d{1,9})"')


def is_tiff(path: Path) -> bool:
    """Whether a file begins like a TIFF or BigTIFF."""
    with path.open("rb") as file:
        return file.read(4) in _MAGICS


def read_tiff(path: Path, content: Content, *, where: Where) -> Samples:
    """Read the one picture of a TIFF file.

    Raises:
        InputError: If it holds several pages or slices, transparency, or values that cannot be
            read faithfully.
        OSError, ValueError: If it is damaged.
    """
    # Imported on first use: most images are no TIFF.
    tifffile = cast("Any", import_module("tifffile"))
    with damage_as_value_error(), quiet_loggers("tifffile"):
        # OME's metadata would make tifffile open other files.
        with tifffile.TiffFile(path, is_ome=False) as file:
            page, place = _only_page(path, file, where)
            _refuse_damaged_tags(file, page)
            channels = _check(path, page, where)
            _check_length(page, path.stat().st_size)
            require_voxels(path, page.shape, where=where)
            if int(page.compression) in (*_NONE, *_PACKBITS, *_DEFLATE):
                samples = _decoded(path, page, channels, content, where)
                tag = page.tags.get(_ORIENTATION)
                turn = 1 if tag is None else int(tag.value)
                return samples._replace(
                    array=_upright(samples.array, turn),
                    doubts=(*samples.doubts, *turn_doubt(turn, where)),
                )
        return _by_pillow(path, place, page, content, where)


def _only_page(path: Path, file: Any, where: Where) -> tuple[Any, int]:
    """The page that is no preview, and its place; a stack is refused.

    Raises:
        InputError: If there are several, or one that stands for several.
    """
    every = len(file.pages)
    if every == 0:
        raise ValueError("it holds no picture")
    if every > _MOST_PAGES:
        raise pages_refusal(path, where, every)
    full = [(file.pages[place], place) for place in range(every)]
    _check_sizes([page for page, _ in full])
    full = [(page, place) for page, place in full if not _is_preview(page)] or full[:1]
    if len(full) > 1:
        raise pages_refusal(path, where, len(full))
    page, place = full[0]
    planes = max(_planes(file), _described(page.description))
    if planes > 1:
        raise pages_refusal(path, where, planes)
    return page, place


def _check_sizes(pages: Sequence[Any]) -> None:
    """Refuse sizes of signed types below 0, which make tifffile search for a series without end."""
    sizes = [size for page in pages for size in page.shape]
    wrong = [size for size in sizes if not (size >= 0 and float(size).is_integer())]
    if wrong:
        raise ValueError(f"its header states a size of {wrong[0]:g}")


def _is_preview(page: Any) -> bool:
    new, old = page.tags.get(_SUBFILE), page.tags.get(_OLD_SUBFILE)
    reduced = new is not None and bool(int(new.value) & _REDUCED)
    return reduced or (old is not None and int(old.value) == _OLD_REDUCED)


def _planes(file: Any) -> int:
    """Pages that a series has beyond those that are stored as pages."""
    return max(prod(one.shape) // max(prod(one.keyframe.shape), 1) for one in file.series[:1])


def _described(description: str) -> int:
    """Planes of which the description of a single page tells."""
    if description.startswith("ImageJ="):
        numbers = {name: int(number) for name, number in _IMAGEJ.findall(description)}
        return numbers.get("images", prod(numbers.values()))
    return prod(map(int, _OME.findall(description))) if "<OME" in description[:2000] else 1


def _refuse_damaged_tags(file: Any, page: Any) -> None:
    """Refuse a page of which tifffile left out a tag that matters: it would take its default."""
    form, handle = file.tiff, file.filehandle
    handle.seek(page.offset)
    (count,) = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))
    entries = handle.read(min(count, 4096) * form.tagsize)
    codes = {
        struct.unpack(form.byteorder + "H", entries[at : at + 2])[0]
        for at in range(0, len(entries) - 1, form.tagsize)
    }
    damaged = sorted(code for code in codes & _MATTER if page.tags.get(code) is None)
    if damaged:
        raise ValueError(f"its tag {damaged[0]} is damaged")


def _check(path: Path, page: Any, where: Where) -> int:
    """Refuse what is no grey, RGB or palette picture; returns its channels without alpha."""
    photometric = int(page.photometric)
    channels = _CHANNELS.get(photometric)
    samples = int(page.samplesperpixel)
    if channels is None or (photometric == _YCBCR and int(page.compression) not in _JPEG):
        name = _NAMES.get(photometric) or getattr(page.photometric, "name", photometric)
        remedy = "save it as RGB or grey"
        raise picture_refusal(path, where, f"has colour mode {name}", remedy)
    if page.axes not in ("YX", "YXS", "SYX") or samples not in (channels, channels + 1):
        what = f"has {samples} channels, and axes {page.axes}"
        raise picture_refusal(path, where, what, "save it as RGB or grey")
    if page.dtype is None or page.dtype.kind not in "biuf":
        what = f"has values of {page.bitspersample} bits, or complex ones"
        raise picture_refusal(path, where, what, "save it with 8 or 16 bits a channel")
    return channels


def _check_length(page: Any, length: int) -> None:
    """Hold the sizes in the header against the file's length."""
    counts: Sequence[int] = page.databytecounts
    _check_parts(page)
    ends = [at + size for at, size in zip(page.dataoffsets, counts, strict=True)]
    if not ends or max(ends) > length or min(counts) < 1:
        raise ValueError("a part of its pixels is not in the file")
    expected = prod(page.shape) * int(page.bitspersample) // 8
    compression = int(page.compression)
    most = sum(counts) * (1 if compression in _NONE else _MOST)
    # Half as much more are bits, channels or rows that the header does not tell of.
    if compression in _NONE and most > expected * 3 // 2 + _SLACK and not page.is_tiled:
        raise ValueError(f"its header states {expected} bytes of pixels, the file has {most}")
    if expected > most and compression not in _FAX:
        raise ValueError(f"its header states {expected} bytes of pixels, the file has {most}")


def _check_parts(page: Any) -> None:
    """Refuse strips or tiles that are not those of the picture's size: tifffile takes the first."""
    kinds = {int(page.tags[code].dtype) for code in _PLACES if code in page.tags}
    if kinds - _PLACE_KINDS:
        raise ValueError("the places of its pixels are of a type that is no place")
    if 0 in page.dataoffsets or {273, 324} <= set(page.tags.keys()):
        raise ValueError("its header leaves out pixels, or states both strips and tiles")
    # Of its own list, tifffile has taken off what is too many.
    places = page.tags.get(324 if page.is_tiled else 273)
    found, expected = 0 if places is None else int(places.count), prod(page.chunked)
    # Some programs misstate the rows of a single strip.
    single = found == 1 and not page.is_tiled and int(page.compression) in _NONE
    if found != expected and not single:
        what = "tiles" if page.is_tiled else "strips"
        raise ValueError(f"its header states a size of {expected} {what}, the file has {found}")


def _decoded(path: Path, page: Any, channels: int, content: Content, where: Where) -> Samples:
    if int(page.compression) in _DEFLATE:
        _check_deflate(page)
    array: NDArray[Any] = page.asarray()
    if array.ndim == 2:
        array = array[None]
    elif page.axes == "YXS":
        array = np.moveaxis(array, -1, 0)
    bits = int(page.bitspersample)
    kind = array.dtype.kind
    white = 2**bits - 1 if kind in "bu" and bits <= 16 else None
    if len(array) > channels:
        opaque = white or (1 if kind == "f" else np.iinfo(array.dtype).max)
        array = without_opaque(path, array[:channels], array[channels], opaque, where)
    array = array.astype(np.uint8) if kind == "b" else array.astype(array.dtype.newbyteorder("="))
    name = "bool" if bits == 1 else array.dtype.name
    return _interpreted(path, page, Samples(array, name, white), content, where)


def _check_deflate(page: Any) -> None:
    """Refuse a part that unpacks to more than its pixels: tifffile unpacks it at once."""
    file = page.parent.filehandle
    most = prod(page.chunks) * int(page.bitspersample) * 3 // 16 + _SLACK
    for at, size in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(at)
        unpack = zlib.decompressobj()
        left, packed = most, file.read(size)
        while packed and left >= 0:
            part = len(unpack.decompress(packed, 2**20))
            left, packed = left - part, unpack.unconsumed_tail
        if left < 0:
            raise ValueError("its pixels unpack to more than its header states")


def _interpreted(
    path: Path, page: Any, samples: Samples, content: Content, where: Where
) -> Samples:
    photometric = int(page.photometric)
    if photometric == _WHITE_IS_ZERO:
        return _inverted(path, samples, content, where)
    if photometric == _PALETTE:
        colours: NDArray[np.uint16] = np.asarray(page.tags[_COLOURMAP].value).reshape(3, -1)
        if content == "label":
            return samples._replace(doubts=palette_doubt(samples.array, colours.T, where))
        # 16 bits by the specification; some programs write 8.
        shift = 8 if colours.max(initial=0) > 255 else 0
        return Samples((colours >> shift).astype(np.uint8)[:, samples.array[0]], "uint8", 255)
    return samples


def _inverted(path: Path, samples: Samples, content: Content, where: Where) -> Samples:
    # Of 1 bit, too: tifffile writes the numbers of a mask, and calls them MinIsWhite.
    if samples.white is None or content == "label":
        what = f"has white as 0 (MinIsWhite) in {samples.dtype}, so its values are ambiguous"
        raise picture_refusal(path, where, what, "save it with black as 0 (MinIsBlack)")
    white = samples.array.dtype.type(samples.white)
    return samples._replace(array=white - samples.array)


def _upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn `(C, I, J)` as the tag Orientation says that it is to be seen."""
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, 1, 2)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return array[:, ::rows, ::columns]


def _by_pillow(path: Path, place: int, page: Any, content: Content, where: Where) -> Samples:
    bits, photometric = int(page.bitspersample), int(page.photometric)
    sort = (page.dtype.kind, bits)
    single = int(page.samplesperpixel) == 1
    faithful = sort in (("u", 8), ("b", 1)) or (
        sort in (("u", 16), ("f", 32)) and single and photometric == _BLACK_IS_ZERO
    )
    compression = int(page.compression)
    if compression not in (*_FAX, *_LZW, *_JPEG) or not faithful:
        name = getattr(page.compression, "name", compression)
        what = f"is compressed by {name}, with {page.dtype.name} of {page.photometric.name}"
        remedy = "save it without compression, or with deflate"
        raise picture_refusal(path, where, what, remedy)
    if content == "label" and photometric == _WHITE_IS_ZERO:
        name = "bool" if bits == 1 else page.dtype.name
        return _inverted(path, Samples(np.empty(0), name, 255), content, where)
    with TiffImageFile(path) as image:
        image.seek(place)
        return plain_samples(path, image, content, where)
