"""Colours of classes: the same in pictures and as the recommended colours of DICOM segments."""

__all__ = ["PALETTE", "Colour", "class_colour"]

Colour = tuple[int, int, int]

# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), which colour-blind readers can
# distinguish, ordered by contrast with grey; without black, which is the background.
PALETTE: tuple[Colour, ...] = (
    (86, 180, 233),
    (230, 120, 0),
    (240, 228, 66),
    (0, 178, 130),
    (204, 121, 167),
    (40, 130, 200),
    (213, 70, 20),
)


def class_colour(value: int) -> Colour:
    """Colour of a label value, from 1, as 8-bit RGB; the seven colours repeat."""
    return PALETTE[(value - 1) % len(PALETTE)]
