"""PNG and TIFF: chunks, tags and bytes, held against Pillow and tifffile."""

import io
import struct
import zlib
from functools import cache
from math import prod
from pathlib import Path
from random import Random

import numpy as np
import tifffile
from PIL import Image, ImageOps

from medseg.data.images.picture import read_picture
from tests.fuzz.mutation import mutate_bytes, odd_number
from tests.fuzz.target import Facts, Target

_HEAD = 8
# By Orientation, as the specification of TIFF has them.
_TURNED = {
    2: np.fliplr,
    3: lambda array: np.rot90(array, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda array: np.rot90(array, -1),
    7: lambda array: np.rot90(array, 2).T,
    8: np.rot90,
}


def _pixels(dtype: str, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


@cache
def png_corpus() -> dict[str, bytes]:
    images = {
        "grey8": Image.fromarray(_pixels("u1", 7, 6)),
        "grey16": Image.fromarray(_pixels("u2", 7, 6)),
        "bits": Image.fromarray(_pixels("u1", 7, 6) > 100),
        "palette": Image.fromarray(_pixels("u1", 7, 6)).quantize(16),
        "rgb": Image.fromarray(_pixels("u1", 7, 6, 3)),
    }
    made = {}
    for name, image in images.items():
        out = io.BytesIO()
        image.save(out, "PNG")
        made[f"{name}.png"] = out.getvalue()
    return made


@cache
def tiff_corpus() -> dict[str, bytes]:
    made = {}
    for name, array, options in [
        ("grey8", _pixels("u1", 7, 6), {}),
        ("grey16", _pixels("u2", 7, 6), {"byteorder": ">"}),
        ("signed", _pixels("i2", 7, 6), {}),
        ("float", _pixels("f4", 7, 6), {}),
        ("packed", _pixels("u1", 40, 30), {"compression": "zlib", "predictor": True}),
        ("tiles", _pixels("u1", 40, 30), {"tile": (16, 16)}),
        ("rgb", _pixels("u1", 7, 6, 3), {"photometric": "rgb"}),
        ("white", _pixels("u1", 7, 6), {"photometric": "miniswhite"}),
        ("big", _pixels("u2", 7, 6), {"bigtiff": True}),
    ]:
        out = io.BytesIO()
        tifffile.imwrite(out, array, **{"photometric": "minisblack", **options})
        made[f"{name}.tif"] = out.getvalue()
    return made


def mutate_png(rng: Random, data: bytes) -> bytes:
    """A chunk's content is changed and its checksum set right; or bytes anywhere."""
    if rng.random() < 0.3:
        return mutate_bytes(rng, data, head=64)
    chunks, at = [], _HEAD
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    place = rng.randrange(len(chunks))
    name, content = chunks[place]
    kind = rng.randrange(5)
    if kind == 0:
        chunks.insert(place, rng.choice(chunks))
    elif kind == 1:
        del chunks[place]
    elif kind == 2 and name == b"IDAT":
        chunks[place] = name, zlib.compress(mutate_bytes(rng, zlib.decompress(content)))
    elif kind == 3:
        extra = rng.choice((b"tRNS", b"acTL", b"gAMA", b"PLTE", b"sBIT", b"eXIf", b"tEXt", b"ABCD"))
        chunks.insert(place, (extra, rng.randbytes(rng.choice((0, 1, 2, 6, 8, 26)))))
    else:
        chunks[place] = name, mutate_bytes(rng, content, head=16)
    return data[:_HEAD] + b"".join(
        struct.pack(">I", len(body)) + word + body + struct.pack(">I", zlib.crc32(word + body))
        for word, body in chunks
    )


def mutate_tiff(rng: Random, data: bytes) -> bytes:
    """An entry of the directory gets another tag, type, count or value; or bytes anywhere."""
    if rng.random() < 0.3:
        return mutate_bytes(rng, data, head=len(data))
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack(order + "H", data[2:4])[0] == 43
    at = struct.unpack(order + ("Q" if big else "I"), data[8:16] if big else data[4:8])[0]
    count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    size, start = (20, at + 8) if big else (12, at + 2)
    changed = bytearray(data)
    for _ in range(rng.randint(1, 2)):
        entry = start + size * rng.randrange(count)
        part = rng.randrange(4)
        if part == 0:
            struct.pack_into(
                order + "H",
                changed,
                entry,
                rng.choice(
                    (254, 256, 258, 259, 262, 273, 277, 284, 317, 338, 339, odd_number(rng) % 65536)
                ),
            )
        elif part == 1:
            struct.pack_into(order + "H", changed, entry + 2, rng.randrange(20))
        elif part == 2:
            struct.pack_into(
                order + ("Q" if big else "I"),
                changed,
                entry + 4,
                rng.choice((0, 1, 2, odd_number(rng) % 2**32)),
            )
        else:
            wide = order + ("H" if rng.random() < 0.6 else "I")
            value = rng.choice((rng.randrange(9), 8, 16, 32, odd_number(rng) % 2**31))
            struct.pack_into(
                wide,
                changed,
                entry + size - (8 if big else 4),
                value % (65536 if wide[-1] == "H" else 2**32),
            )
    return bytes(changed)


def ours(path: Path) -> Facts:
    """The numbers as stored, which a label has to be."""
    array = read_picture(path, "label", where="label").array[:, :, 0]
    return {"array": array, "pillow": array}


def independent_png(path: Path) -> Facts:
    with Image.open(path) as image:
        if image.mode not in ("L", "I;16", "I;16B", "I", "1", "P"):
            raise ValueError(f"mode {image.mode}")
        array = np.asarray(image).astype(np.int64)
    # Pillow spreads grey values of 2 and 4 bits over 0 to 255; as stored they are a label's.
    bits, colour = path.read_bytes()[24:26]
    return {"array": array // (255 // (2**bits - 1)) if colour == 0 and bits in (2, 4) else array}


def independent_tiff(path: Path) -> Facts:
    """By tifffile; by pillow too, as medseg uses tifffile itself."""
    with tifffile.TiffFile(path) as file:
        if len(file.pages) != 1:
            raise ValueError(f"{len(file.pages)} pages")
        page = file.pages[0]
        array = page.asarray()
    # White of one bit is 1, as Pillow has it.
    array = ~array if array.dtype == bool and page.photometric == 0 else array
    # Of a single strip whose rows are misstated, pillow reads these rows only; and with damaged
    # tags it does not turn.
    turn = page.tags[274].value if 274 in page.tags else 1
    if turn == 1 and len(page.dataoffsets) == prod(page.chunked):
        return {"array": array, **_by_pillow(path, array.dtype)}
    return {"array": _TURNED.get(turn, lambda upright: upright)(array)}


def _by_pillow(path: Path, dtype: np.dtype) -> Facts:
    """What pillow reads; nothing where it refuses, or takes the values for others."""
    try:
        with Image.open(path) as image:
            array = np.asarray(ImageOps.exif_transpose(image))
            mode = image.mode
    # It raises almost anything of what it does not support.
    except Exception:
        return {}
    # Where tags are damaged it takes signed numbers for unsigned, and floats for whole ones.
    known = {
        "L": ["u1"],
        "I;16": ["u2"],
        "I;16B": ["u2"],
        "I": ["i2", "i4"],
        "F": ["f4"],
        "1": ["?"],
    }
    fits = dtype.newbyteorder("=") in map(np.dtype, known.get(mode, []))
    return {"pillow": array} if fits else {}


PNG = Target(
    name="png", corpus=png_corpus, mutate=mutate_png, ours=ours, independent=independent_png
)
TIFF = Target(
    name="tiff", corpus=tiff_corpus, mutate=mutate_tiff, ours=ours, independent=independent_tiff
)
