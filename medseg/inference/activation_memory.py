"""How much memory a network's activations take, known without running it.

The network is run on torch's meta device, where tensors have shapes and lifetimes but no values:
what is alive at once is counted, skips and all, whatever the architecture.
"""

import copy
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from medseg.inference.meta_result import meta_result

__all__ = ["peak_activation_bytes"]


class _Alive(TorchDispatchMode):
    """Counts the bytes of all tensors that are made and not yet forgotten."""

    def __init__(self) -> None:
        cast("Any", super()).__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # To keep its compiler off this mode, torch would import all of it; see `meta_result`.
        return False

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = meta_result(func, args, kwargs or {})
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._count(leaf.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = cast("Any", storage)._cdata
        if key in self._known:  # a view, or what was changed in place
            return
        self._known.add(key)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def peak_activation_bytes(network: nn.Module, shape: Sequence[int]) -> int | None:
    """The most that is alive at once between input and output, without weights, in fp32.

    Libraries take room of their own to compute in on top; half precision takes half.

    Args:
        network: In evaluation mode.
        shape: `(B, C, *window)` of its input.

    Returns:
        Bytes, or None if the network looks at values, which a tensor without any cannot give.
    """
    shadow = copy.deepcopy(network).to("meta")
    with torch.inference_mode(), _Alive() as alive:
        try:
            shadow(torch.empty(*shape, device="meta"))
        except (RuntimeError, NotImplementedError):
            return None
    return alive.peak
