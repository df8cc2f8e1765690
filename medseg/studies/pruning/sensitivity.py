"""Sensitivity: what the scores of held-out cases lose by each ablation.

Each ablation is scored once and kept under the digest of what determines it, so that an interrupted
study goes on, and a larger one begins with what a smaller one has done.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import medseg
from medseg._files import write_atomically
from medseg.studies.pruning.ablation import Ablation, Sparsity, ablated
from medseg.studies.pruning.methods import Method
from medseg.studies.pruning.scores import score_cases
from medseg.studies.pruning.subject import Subject, with_network
from medseg.studies.results import CaseScore

__all__ = ["Plan", "ScoredAblation", "planned_ablations", "score_ablations"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which ablations are done.

    Attributes:
        methods: All of these on the whole network, at all `amounts`.
        amounts: Shares, in (0, 1).
        part_methods: On every part and every convolution alone, at `part_amounts`.
        part_amounts: Shares, in (0, 1).
        seed: Of random methods.
    """

    methods: tuple[Method, ...]
    amounts: tuple[float, ...]
    part_methods: tuple[Method, ...]
    part_amounts: tuple[float, ...]
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ScoredAblation:
    """An ablation with its scores; the unpruned network has none.

    Attributes:
        ablation: What was set to zero; None for the network as it is.
        sparsity: Of each convolution that was pruned.
        cases: Scores of every held-out case and class.
    """

    ablation: Ablation | None
    sparsity: tuple[Sparsity, ...]
    cases: tuple[CaseScore, ...]

    @property
    def zeros(self) -> float:
        """Share of zeros in the pruned convolutions."""
        elements = sum(one.elements for one in self.sparsity)
        return sum(one.zeros for one in self.sparsity) / elements if elements else 0.0


def planned_ablations(plan: Plan, selections: Mapping[str, tuple[str, ...]]) -> list[Ablation]:
    """Every ablation of a plan.

    Args:
        plan: Methods and amounts.
        selections: Convolutions by the selection's name; the first is the whole network.
    """
    whole, *parts = selections.items()
    alone = [(f"module {one}", (one,)) for one in whole[1]]
    return [
        *_crossed([whole], plan.methods, plan.amounts),
        *_crossed([*parts, *alone], plan.part_methods, plan.part_amounts),
    ]


def score_ablations(
    subject: Subject,
    ablations: Sequence[Ablation],
    saliency: Mapping[str, Any],
    *,
    seed: int,
    folder: Path,
    told: Callable[[int, int], None],
) -> list[ScoredAblation]:
    """Score the unpruned network and every ablation; what the folder holds is not done again.

    Args:
        subject: The bundle.
        ablations: Of `planned_ablations`.
        saliency: See `ablated`.
        seed: Of random methods.
        folder: For the scores.
        told: Called with the number done and in all.
    """
    known = _identity(subject, seed)
    found: list[ScoredAblation] = []
    for number, ablation in enumerate([None, *ablations]):
        path = folder / f"{_digest({**known, 'ablation': ablation and asdict(ablation)})}.json"
        if path.exists():
            found.append(_read(path, ablation))
        else:
            found.append(_score(subject, ablation, saliency, seed))
            _write(path, found[-1])
        told(number, len(ablations))
    return found


def _crossed(
    selections: Sequence[tuple[str, tuple[str, ...]]],
    methods: Sequence[Method],
    amounts: Sequence[float],
) -> Iterator[Ablation]:
    for name, modules in selections:
        for method, amount in product(methods, amounts):
            yield Ablation(method=method, selection=name, modules=modules, amount=amount)


def _score(
    subject: Subject, ablation: Ablation | None, saliency: Mapping[str, Any], seed: int
) -> ScoredAblation:
    if ablation is None:
        return ScoredAblation(ablation=None, sparsity=(), cases=tuple(score_cases(subject)))
    network, sparsity = ablated(subject.network, ablation, saliency, seed=seed)
    return ScoredAblation(
        ablation=ablation,
        sparsity=tuple(sparsity),
        cases=tuple(score_cases(with_network(subject, network))),
    )


def _identity(subject: Subject, seed: int) -> dict[str, Any]:
    return {
        "medseg": medseg.__version__,
        "weights": subject.predictor.provenance.tensors_sha256,
        "cases": [case.name for case in subject.cases],
        "split": subject.split,
        "window": subject.window,
        "precision": getattr(subject.predictor.inferer, "precision", None),
        "seed": seed,
    }


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _write(path: Path, scored: ScoredAblation) -> None:
    content = {
        "sparsity": [asdict(one) for one in scored.sparsity],
        "cases": [{**asdict(one), "values": dict(one.values)} for one in scored.cases],
    }
    text = json.dumps(content)
    write_atomically(path, partial(Path.write_text, data=text, encoding="utf-8"))


def _read(path: Path, ablation: Ablation | None) -> ScoredAblation:
    content = json.loads(path.read_text(encoding="utf-8"))
    return ScoredAblation(
        ablation=ablation,
        sparsity=tuple(Sparsity(**one) for one in content["sparsity"]),
        cases=tuple(CaseScore(**one) for one in content["cases"]),
    )
