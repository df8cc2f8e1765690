"""EngineInferer: a MONAI inferer that runs windows on the fastest engine that agrees with torch.

The engine is opened at the first volume, since only then the weights are loaded and real windows
are available to check the engine against torch in fp32.
"""

import logging
from typing import Any

from monai.inferers.inferer import Inferer
from torch import Tensor, nn

from medseg.inference.engines.check import agreeing_engine
from medseg.inference.engines.open_engine import Engine, open_engine
from medseg.inference.engines.words import EngineChoice, PrecisionChoice
from medseg.inference.sliding_labels import SlidingWindowLabels
from medseg.inference.source_grid import Watch
from medseg.networks.compilation import Compile

__all__ = ["EngineInferer"]

logger = logging.getLogger(__name__)


class EngineInferer(Inferer):
    """Predict labels by sliding windows, on the fastest engine.

    Args:
        inferer: The sliding-window inferer.
        engine: `auto`, `torch` or `openvino`, see `open_engine`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        compile: Mode of torch's compiler, for the torch engine: see
            `medseg.networks.compile_network`.
    """

    def __init__(
        self,
        inferer: SlidingWindowLabels,
        *,
        engine: EngineChoice = "auto",
        precision: PrecisionChoice = "auto",
        compile: Compile = "none",
    ) -> None:
        super().__init__()
        self.inferer = inferer
        self.engine: EngineChoice = engine
        self.precision: PrecisionChoice = precision
        self.compile: Compile = compile
        self._opened: tuple[nn.Module, Engine] | None = None

    def __call__(
        self,
        inputs: Tensor,
        network: nn.Module,
        *args: Any,
        watch: Watch | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Return the label of one volume, see `SlidingWindowLabels`."""
        if self._opened is None or self._opened[0] is not network:
            self._opened = (network, self._open(inputs, network))
        return self.inferer(inputs, self._opened[1], *args, watch=watch, **kwargs)

    @property
    def opened(self) -> str | None:
        """Engine and precision in use, e.g. `openvino bf16`; None before the first volume."""
        if self._opened is None:
            return None
        engine = self._opened[1]
        return f"{engine.name} {engine.precision}"

    def _open(self, inputs: Tensor, network: nn.Module) -> Engine:
        opened = open_engine(
            network,
            engine=self.engine,
            precision=self.precision,
            compile=self.compile,
            window=self.inferer.window,
            channels=inputs.shape[1],
            device=inputs.device,
        )
        windows = self.inferer.windows_apart(inputs.as_subclass(Tensor)[0].float())
        chosen = agreeing_engine(opened, network, windows)
        logger.info("windows are computed by %s in %s", chosen.name, chosen.precision)
        return chosen
