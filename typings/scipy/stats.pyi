"""What medseg uses of scipy.stats, which has no annotations of its own."""

from typing import Any

from numpy.typing import NDArray

class WilcoxonResult:
    statistic: float
    pvalue: float

def wilcoxon(x: NDArray[Any]) -> WilcoxonResult: ...
