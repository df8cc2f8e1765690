"""Methods of pruning by zeros, by name; apart, so that a command line knows them without torch."""

from typing import Literal

__all__ = ["METHODS", "Method"]

Method = Literal[
    "global_unstructured",
    "l1_unstructured",
    "random_unstructured",
    "gradient_unstructured",
    "random_structured",
    "l1_structured",
    "l2_structured",
]
METHODS: dict[Method, str] = {
    "global_unstructured": "smallest weights of all chosen convolutions together",
    "l1_unstructured": "smallest weights of each convolution",
    "random_unstructured": "weights drawn at random",
    "gradient_unstructured": "weights with the smallest |w dL/dw| of each convolution",
    "random_structured": "filters drawn at random",
    "l1_structured": "filters with the smallest L1 norm",
    "l2_structured": "filters with the smallest L2 norm",
}
