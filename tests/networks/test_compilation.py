"""torch.compile as a choice: the same network, or one line."""

import copy

import pytest
import torch
from torch import nn

from medseg.errors import MachineError, UsageError
from medseg.networks import compile_network
from medseg.training import WeightAverage


def test_an_unknown_way_to_compile_is_refused():
    with pytest.raises(UsageError, match="compile must be one of none, default, reduce-overhead"):
        compile_network(nn.Linear(1, 1), "fast", torch.device("cpu"))


def test_a_machine_that_cannot_compile_says_so_in_one_line(monkeypatch):
    def without_a_compiler(*_, **__):
        return lambda *_: (_ for _ in ()).throw(RuntimeError("No working C++ compiler\n  at ..."))

    monkeypatch.setattr(torch, "compile", without_a_compiler)
    with pytest.raises(
        MachineError, match=r"No working C\+\+ compiler.*set compile to 'none'"
    ) as told:
        compile_network(nn.Linear(1, 1), "default", torch.device("cpu"))
    assert "\n" not in str(told.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_network_gives_the_same_under_the_same_names():
    plain = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    compiled = copy.deepcopy(plain)
    compile_network(compiled, "default", torch.device("cpu"))
    image = torch.rand(2, 3)
    for net in (plain, compiled):
        net(image).sum().backward()
    assert compiled._compiled_call_impl is not None
    assert plain.state_dict().keys() == compiled.state_dict().keys()
    torch.testing.assert_close(plain[0].weight.grad, compiled[0].weight.grad)
    # The average of its weights is a network of its own, and not compiled.
    assert WeightAverage(compiled, 0.9).network._compiled_call_impl is None
