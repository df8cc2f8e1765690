"""Engine check: do a fast engine's labels agree with torch's in fp32? Done once per set of weights.

It uses windows of a real image, as noise says nothing about a trained network: those with most of
the rarest classes, which rounding changes first. It compares the DSC of each class instead of the
fraction of equal voxels, which a lost lesion hardly changes.
"""

import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from medseg.errors import UsageError
from medseg.inference.engines.open_engine import Engine
from medseg.inference.engines.torch_engine import torch_predictor
from medseg.inference.engines.verdict import LEAST_DICE, Agreement, read_verdict, write_verdict

__all__ = [
    "agreeing_engine",
    "label_agreement",
    "representative_windows",
]

logger = logging.getLogger(__name__)

# Fewest voxels of a class, absolute or as a fraction of small windows; with fewer, single voxels at
# its surface decide its DSC.
_LEAST_VOXELS = 1000
_LEAST_SHARE = 0.001
# Windows compared, each of which takes torch seconds in fp32; and windows searched for these.
_MOST_WINDOWS = 4
_MOST_LOOKED_AT = 32


def agreeing_engine(
    engine: Engine,
    network: nn.Module,
    windows: Sequence[Tensor],
    *,
    least_dice: float = LEAST_DICE,
) -> Engine:
    """Return the engine, or the first of its fallbacks whose labels agree with torch's in fp32.

    The result is stored next to the converted network, for these weights, engine, versions and
    processor, unless the windows contain only one class and agree, which proves little.

    Args:
        engine: The opened engine; one without a fallback is returned unchecked.
        network: The engine's network.
        windows: `(C, *window)` each, float32 on the engine's device: all of a real image. Up to
            four are compared, see `representative_windows`.
        least_dice: Lowest DSC that passes, in (0, 1].
    """
    if not 0 < least_dice <= 1:
        raise UsageError(f"least_dice must be in (0, 1], got {least_dice}")
    while engine.fallback is not None:
        known = None if engine.verdict is None else read_verdict(engine.verdict, engine.device)
        agreement = known or _measured(engine, network, windows, least_dice)
        if agreement.dice >= least_dice:
            break
        slower = engine.fallback()
        # Nothing for the user to do: the labels are right, and only the time is longer.
        logger.log(
            logging.INFO if known is None else logging.DEBUG,
            "%s in %s is fast, but some of its labels of these weights differ from the exact ones "
            "(Dice %.4f, at least %.4f is wanted); %s in %s is used, which takes longer",
            *(engine.name, engine.precision, agreement.dice, least_dice),
            *(slower.name, slower.precision),
        )
        engine = slower
    return engine


def label_agreement(
    engine: Callable[[Tensor], Tensor], reference: Callable[[Tensor], Tensor], windows: Tensor
) -> Agreement:
    """Compare the labels of two engines for the same windows.

    Args:
        engine: Windows to logits `(B, K, *window)`.
        reference: Likewise.
        windows: `(B, C, *window)`.
    """
    labels, truth = _labels(engine, windows), _labels(reference, windows)
    counts = torch.bincount(truth.flatten())
    least = min(_LEAST_VOXELS, _LEAST_SHARE * truth.numel())
    classes = [int(c) for c in torch.nonzero(counts >= least)]
    dice = [_dice(labels == value, truth == value) for value in classes]
    equal = (labels == truth).double().mean().item()
    return Agreement(dice=min(dice), equal=equal, classes=len(classes))


def representative_windows(
    engine: Callable[[Tensor], Tensor], windows: Sequence[Tensor], most: int = _MOST_WINDOWS
) -> list[Tensor]:
    """The window with the largest SD, then that with most of the rarest class, and so on.

    Args:
        engine: Windows `(1, C, *window)` to logits, which give the classes.
        windows: Candidates, `(C, *window)` each; more than 32 are subsampled.
        most: Largest number of windows returned.
    """
    windows = windows[:: -(-len(windows) // _MOST_LOOKED_AT)]
    counts = [torch.bincount(_labels(engine, window[None]).flatten()) for window in windows]
    classes = max(len(count) for count in counts)
    table = torch.stack([nn.functional.pad(count, (0, classes - len(count))) for count in counts])
    spread = max(range(len(windows)), key=lambda n: float(windows[n].std()))
    totals = table.sum(dim=0)
    rarest_first = [int(c) for c in totals.argsort() if totals[c] > 0]
    chosen = [spread, *(int(table[:, c].argmax()) for c in rarest_first)]
    return [windows[n] for n in list(dict.fromkeys(chosen))[:most]]


def _labels(run: Callable[[Tensor], Tensor], windows: Tensor) -> Tensor:
    """Labels, computed window by window so that only one window's logits are in memory."""
    return torch.cat([run(window).argmax(dim=1) for window in torch.split(windows, 1)])


def _dice(label: Tensor, truth: Tensor) -> float:
    return (2 * (label & truth).sum() / (label.sum() + truth.sum())).item()


def _measured(
    engine: Engine, network: nn.Module, windows: Sequence[Tensor], least_dice: float
) -> Agreement:
    reference = torch_predictor(network, "fp32", axes=len(engine.window), device=engine.device)
    agreement = label_agreement(
        engine, reference, torch.stack(representative_windows(engine, windows))
    )
    telling = agreement.classes > 1 or agreement.dice < least_dice
    if telling and engine.verdict is not None:
        write_verdict(engine.verdict, engine.device, agreement)
    return agreement
