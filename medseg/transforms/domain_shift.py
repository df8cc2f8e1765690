"""Domain shift: changes of each image as it is read, to score a network on other images.

A scanner, a lamp or a focus of another kind changes an image before anything is normalised; what
the normalisation takes away is no shift. Augmentations with a probability of 1 and a range of one
value are such changes, of a strength that is known.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from monai.data.meta_tensor import MetaTensor
from monai.transforms.compose import Compose
from monai.transforms.io.dictionary import LoadImaged
from monai.utils.type_conversion import convert_to_dst_type

from medseg.errors import UsageError

__all__ = ["Shift", "shifted_steps"]

Step = Callable[..., Any]


class Shift(Compose):
    """Steps that change the intensities of whole images, which keep their place in space.

    Augmentations see patches and return them without metadata. Here the metadata are put back, as
    the label of an image that is predicted needs them.
    """

    def __call__(self, data: Mapping[str, Any], *_: Any, **__: Any) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - MONAI's options are of other uses
        """Return the sample, with the images changed.

        Raises:
            UsageError: If a step changes the size of an image.
        """
        run = cast("Any", super()).__call__
        changed = dict(cast("Mapping[str, Any]", run(dict(data))))
        for key, before in data.items():
            if isinstance(before, MetaTensor):
                if changed[key].shape != before.shape:
                    raise UsageError(
                        f"shift_steps: {key} became {tuple(changed[key].shape)} of "
                        f"{tuple(before.shape)}; for another scale, override the pixel size or "
                        "spacing instead"
                    )
                changed[key] = cast("Any", convert_to_dst_type)(changed[key], before)[0]
        return changed


def shifted_steps(steps: Sequence[Step], shift: Sequence[Step]) -> list[Step]:
    """The steps of a recipe, with others behind those that read files.

    Args:
        steps: Preprocessing, which begins with `LoadImaged`.
        shift: Further transforms of dictionaries, see `Shift`; none leave the steps as they are.

    Raises:
        UsageError: If there is a shift, and no step reads files.
    """
    if not shift:
        return list(steps)
    loads = [place for place, step in enumerate(steps) if isinstance(step, LoadImaged)]
    if not loads:
        raise UsageError("shift_steps: preprocessing_steps have no LoadImaged to follow")
    after = loads[-1] + 1
    return [*steps[:after], Shift(list(shift)), *steps[after:]]
