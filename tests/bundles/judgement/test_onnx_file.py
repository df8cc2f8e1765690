"""ONNX networks are read without onnx, which makes those of these tests."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from medseg.bundles.judgement.files.onnx_file import onnx_findings


def network(*, operator="Relu", domain="", functions=(), inner=None):
    """A network of one operator on weights of its own."""
    weights = numpy_helper.from_array(np.ones(3, "float32"), "w")
    attributes = {} if inner is None else {"then_branch": inner, "else_branch": inner}
    node = helper.make_node(operator, ["w"], ["y"], domain=domain, **attributes)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])
    graph = helper.make_graph([node], "g", [], [output], [weights])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(domain or "other", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions)


def reasons(model):
    return [(found.grade, found.reason) for found in onnx_findings(model.SerializeToString())]


def test_onnxs_own_operators_with_weights_in_the_file_pass():
    assert reasons(network()) == []
    assert reasons(network(operator="Normalizer", domain="ai.onnx.ml")) == []


def test_a_function_that_the_file_defines_is_no_foreign_operator():
    relu = helper.make_node("Relu", ["x"], ["y"])
    function = helper.make_function(
        "own", "Act", ["x"], ["y"], [relu], [helper.make_opsetid("", 20)]
    )
    assert reasons(network(operator="Act", domain="own", functions=[function])) == []


def test_an_operator_of_another_library_needs_trust_also_within_a_branch():
    ((grade, reason),) = reasons(network(operator="PyOp", domain="com.microsoft"))
    assert (grade, "com.microsoft.PyOp" in reason) == ("needs trust", True)
    branch = network(operator="Run", domain="evil").graph
    ((grade, reason),) = reasons(network(operator="If", inner=branch))
    assert (grade, "evil.Run" in reason) == ("needs trust", True)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("weights.bin", "needs trust"),
        ("../../etc/passwd", "refused"),
        ("/etc/passwd", "refused"),
        ("a\nb", "refused"),
    ],
)
def test_weights_in_another_file_are_told(location, expected):
    model = network()
    external_data_helper.set_external_data(model.graph.initializer[0], location=location)
    ((grade, reason),) = reasons(model)
    assert (grade, "reads weights from another file" in reason) == (expected, True)
    assert reason.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_an_end(content):
    assert all(found.reason for found in onnx_findings(content))


@given(st.data())
def test_a_damaged_network_is_read_to_an_end(data):
    content = bytearray(network().SerializeToString())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert all(found.reason for found in onnx_findings(bytes(content)))


def test_what_onnx_reads_of_a_damaged_network_is_never_more_than_was_read():
    # A network whose operator's domain is set twice: the last one counts.
    node = helper.make_node("Relu", ["w"], ["y"], domain="")
    twice = node.SerializeToString() + b"\x3a\x04evil"
    assert onnx.NodeProto.FromString(twice).domain == "evil"
    content = b"\x3a" + bytes([len(twice) + 2]) + b"\x0a" + bytes([len(twice)]) + twice
    found = [f.reason for f in onnx_findings(content)]
    assert "evil.Relu" in found[0]
