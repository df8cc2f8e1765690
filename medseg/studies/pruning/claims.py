"""Claims of the published ablation study, held against the findings.

Reference:
    Fraello, Semantic segmentation of EBHI-Seg dataset: ablation studies on UNet architecture, 2023:
    each block plays an important role; adenocarcinoma and high-grade IN suffer first, at 25 % of
    the filters; a simpler architecture suffers more.
"""

from collections.abc import Iterator, Sequence

from medseg.studies.pages.figures import signed, signed_interval
from medseg.studies.pruning.findings import Finding, verdict

__all__ = ["claim_lines"]

# Of the published one's "small pruning values".
_SMALL = 0.25
_SUFFERED_FIRST = ("adenocarcinoma", "high_grade_in")
_FILTERS = "l1_structured"


def claim_lines(found: Sequence[Finding], beside: Sequence[Finding]) -> list[str]:
    """What the findings say of each claim, in a line each.

    Args:
        found: Of the network.
        beside: Of the smaller one; empty if there is none.
    """
    return [*_blocks(found), *_groups(found), *_architecture(found, beside)]


def _blocks(found: Sequence[Finding]) -> Iterator[str]:
    alone = [one for one in found if one.ablation and one.ablation.selection.startswith("module ")]
    for method, amount in dict.fromkeys(
        (one.ablation.method, one.ablation.amount) for one in alone if one.ablation
    ):
        rows = [
            one
            for one in alone
            if one.ablation and (one.ablation.method, one.ablation.amount) == (method, amount)
        ]
        worse = [one for one in rows if verdict(one.overall) == "worse"]
        least = min(rows, key=lambda one: one.overall.difference)
        name = least.ablation.selection.removeprefix("module ") if least.ablation else ""
        yield (
            f"**Does every block matter?** {method}, {amount:.0%} of one convolution at a time: "
            f"{len(worse)} of {len(rows)} convolutions lower the DSC with an interval below 0; "
            f"most `{name}`, {signed(least.overall.difference)} "
            f"{signed_interval(least.overall.difference_ci95)}."
        )


def _groups(found: Sequence[Finding]) -> Iterator[str]:
    row = _whole(found, _FILTERS, _SMALL)
    if row is None or len(row.groups) < 2:
        return
    order = sorted(row.groups, key=lambda name: row.groups[name].difference)
    told = "; ".join(
        f"{name} {signed(row.groups[name].difference)} "
        f"{signed_interval(row.groups[name].difference_ci95)}"
        for name in order
    )
    named = [name for name in _SUFFERED_FIRST if name in order]
    first = set(order[: len(named)]) == set(named)
    answer = f" The two that the publication names are {'' if first else 'not '}the first two."
    yield (
        f"**Which groups suffer first?** {_FILTERS}, {_SMALL:.0%} of the filters of every "
        f"convolution, largest loss first: {told}.{answer if len(named) == 2 else ''}"
    )


def _architecture(found: Sequence[Finding], beside: Sequence[Finding]) -> Iterator[str]:
    pairs = [
        (one, other)
        for one in found
        if one.ablation and one.ablation.selection == "all"
        if (other := _whole(beside, one.ablation.method, one.ablation.amount)) is not None
    ]
    if not pairs:
        return
    more = [one for one, other in pairs if other.overall.difference < one.overall.difference]
    clear = [
        one
        for one, other in pairs
        if other.overall.difference_ci95[1] < one.overall.difference_ci95[0]
    ]
    yield (
        f"**Does a simpler architecture suffer more?** Of {len(pairs)} ablations of the whole "
        f"network, the smaller one loses more in {len(more)}, in {len(clear)} of them with "
        "intervals apart."
    )


def _whole(found: Sequence[Finding], method: str, amount: float) -> Finding | None:
    return next(
        (
            one
            for one in found
            if one.ablation
            and one.ablation.selection == "all"
            and (one.ablation.method, one.ablation.amount) == (method, amount)
        ),
        None,
    )
