"""Label values that were given other numbers than their classes have.

Which number stands for which class is said by nobody, so it is decided by all labels of the data
set together, and only if there is one way. {0, 2} beside two names is one: a single class, under a
single number. {0, 2} beside three names is none: class 1 may merely be absent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from medseg._checks import first_few

__all__ = ["ValueMap", "value_map"]

_WHITE = 255


@dataclass(frozen=True)
class ValueMap:
    """By value, the class value that it becomes, and why; empty if nothing is to be changed."""

    values: Mapping[int, int] = field(default_factory=dict[int, int])
    why: str = ""


def value_map(found: Sequence[Collection[int]], class_count: int) -> ValueMap:
    """Decide which values of a data set's labels become which.

    Args:
        found: Of each label, its values: whole numbers from 0.
        class_count: Number of named values, the background's included.
    """
    marked = sorted({value for values in found for value in values if value})
    if not marked or marked[-1] < class_count:
        return ValueMap()
    if class_count == 2 and set(marked) <= {1, _WHITE}:
        if any({1, _WHITE} <= set(values) for values in found):
            return ValueMap()
        why = "each label is a mask of one class: 0, and either 1 or 255"
        return ValueMap({_WHITE: 1}, why)
    if len(marked) != class_count - 1:
        return ValueMap()
    changed = {value: place for place, value in enumerate(marked, start=1) if value != place}
    if any(value < class_count for value in changed):
        # It would then mean another class than its name says.
        return ValueMap()
    noun = "value, for one named class" if len(marked) == 1 else "values, for as many named classes"
    listed = first_few((str(value) for value in marked), 8)
    count = "one" if len(marked) == 1 else str(len(marked))
    why = f"all labels of the data set hold {count} {noun}: {listed}, in this order"
    return ValueMap(changed, why)
