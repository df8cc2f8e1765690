"""Words for inference engines and precisions, for code and for the command line.

A file of their own: `medseg predict --help` shows them and imports no torch.
"""

from typing import Literal

__all__ = ["EngineChoice", "EngineName", "PrecisionChoice"]

EngineName = Literal["torch", "openvino"]
EngineChoice = Literal["auto", "torch", "openvino"]
PrecisionChoice = Literal["auto", "fp32", "bf16", "fp16"]
