"""Files of strangers: what may be run, and what is refused before anything is run."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from model.errors import NetworkError
from model.inference import onnx_file
from model.inference.onnx_file import OPERATORS, inspect
from tests.model.foreign import IMAGE, decoder_file, encoder, encoder_file, exported, file_of, node

I64 = np.int64


def refused(model: onnx.ModelProto) -> str:
    with pytest.raises(NetworkError) as raised:
        inspect(model.SerializeToString(), "dec.onnx")
    return str(raised.value)


def test_a_network_of_pytorch_says_what_it_takes_and_gives() -> None:
    assert inspect(encoder_file(3), "e") == ("input", (1, 28, 28), ("mean", "log_variance"))
    assert inspect(decoder_file(3), "d") == ("input", (3,), ("image",))


def test_every_operator_that_may_be_run_is_one_of_onnx() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
    assert known >= OPERATORS


def test_an_operator_of_another_domain_is_refused_by_name() -> None:
    model = file_of([helper.make_node("Evil", ["input"], ["output"], domain="my.library")])
    assert "the operator Evil of my.library, which is not ONNX's own" in refused(model)


def test_functions_of_the_files_own_are_refused() -> None:
    model = file_of([node("Relu", "input", "output")])
    model.functions.append(
        helper.make_function(
            "here", "Own", ["x"], ["y"], [node("Relu", "x", "y")], [helper.make_opsetid("", 17)]
        )
    )
    assert "functions of its own" in refused(model)


@pytest.mark.parametrize("location", ["/etc/passwd", "weights.bin", "*/_ORT_MEM_ADDR_/*"])
@pytest.mark.parametrize("place", ["a weight", "a constant"])
def test_external_data_is_refused_wherever_it_stands(location: str, place: str) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2])
    tensor.external_data.add(key="location", value=location)
    tensor.data_location = TensorProto.EXTERNAL
    nodes = [node("Add", "input w", "output")]
    if place == "a constant":
        nodes.insert(0, helper.make_node("Constant", [], ["w"], value=tensor))
    model = file_of(nodes)
    if place == "a weight":
        model.graph.initializer.append(tensor)
    assert "external data: the numbers of w are in another file" in refused(model)


def test_data_is_external_by_its_location_or_by_its_key() -> None:
    model = file_of([node("Add", "input w", "output")], constants={"w": np.ones(2, np.float32)})
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    assert "external data" in refused(model)
    model.graph.initializer[0].ClearField("data_location")
    model.graph.initializer[0].external_data.add(key="location", value="w.bin")
    assert "external data" in refused(model)


def test_a_loop_is_refused() -> None:
    body = helper.make_graph(
        [node("Identity", "go", "again"), node("Identity", "x", "y")],
        "body",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["", "", "input"], ["output"], body=body)
    assert "the operator Loop, whose work depends on numbers" in refused(file_of([loop]))


def test_a_graph_within_another_operator_is_refused() -> None:
    inner = helper.make_graph([], "inner", [], [])
    assert "holds a graph" in refused(file_of([node("Relu", "input", "output", body=inner)]))


def test_a_sample_in_place_of_the_mean_is_refused() -> None:
    nodes = [node("RandomNormalLike", "input", "noise"), node("Add", "input noise", "output")]
    message = refused(file_of(nodes))
    assert "RandomNormalLike, which draws random numbers" in message
    assert "Export the mean" in message


@pytest.mark.parametrize("operator", ["NonZero", "Compress", "StringNormalizer", "SequenceEmpty"])
def test_an_operator_that_no_network_is_made_of_is_refused(operator: str) -> None:
    assert f"the operator {operator}" in refused(file_of([node(operator, "input", "output")]))


def test_a_size_that_depends_on_what_an_image_shows_is_refused() -> None:
    nodes = [
        node("ReduceSum", "input", "sum", keepdims=1),
        node("Cast", "sum", "whole", to=TensorProto.INT64),
        node("Reshape", "whole one", "size"),
        node("ConstantOfShape", "size", "output"),
    ]
    model = file_of(nodes, constants={"one": np.array([1], I64)})
    assert "ConstantOfShape with a size that depends on what an image shows" in refused(model)


def test_a_size_that_comes_from_the_number_of_rows_is_none_of_these() -> None:
    nodes = [
        node("Shape", "input", "shape"),
        node("Gather", "shape zero", "rows"),
        node("Concat", "rows rest", "size", axis=0),
        node("Reshape", "input size", "output"),
    ]
    constants = {"zero": np.array([0], I64), "rest": np.array([2, 1], I64)}
    found = inspect(file_of(nodes, constants=constants).SerializeToString(), "d")
    assert found.sizes == (2,)


def test_nodes_out_of_their_order_are_refused() -> None:
    nodes = [node("Neg", "later", "output"), node("Relu", "input", "later")]
    assert "its operator Neg comes before its input later" in refused(file_of(nodes))


def test_a_number_of_rows_that_is_fixed_is_refused_with_the_remedy() -> None:
    file = exported(encoder(), IMAGE, "mean", "log_variance", free=False)
    with pytest.raises(NetworkError, match=r"takes 1 rows of input.*dynamic_axes=\{.input.: \{0"):
        inspect(file, "enc.onnx")


def test_sizes_that_are_free_besides_are_refused() -> None:
    model = file_of([node("Relu", "input", "output")], latents=("N", "wide"))
    assert "leaves other sizes of input free" in refused(model)


def test_numbers_of_half_precision_are_refused() -> None:
    model = file_of([node("Relu", "input", "output")], kind=TensorProto.FLOAT16)
    assert "is not of float32" in refused(model)


def test_a_second_input_is_refused_and_a_weight_that_is_listed_as_one_is_none() -> None:
    model = file_of([node("Add", "input w", "output")], constants={"w": np.ones(2, np.float32)})
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [2]))
    assert inspect(model.SerializeToString(), "d").input == "input"
    del model.graph.initializer[:]
    assert "has the inputs input, w; it must have one" in refused(model)


def test_a_file_over_the_bound_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "LARGEST_FILE", 1000)
    with pytest.raises(NetworkError, match="a network may have 1,000"):
        inspect(bytes(1001), "dec.onnx")


def test_a_file_of_two_graphs_is_refused_because_readers_differ() -> None:
    content = file_of([node("Relu", "input", "output")]).SerializeToString()
    with pytest.raises(NetworkError, match="its field 7 is there 2 times"):
        inspect(content + content, "dec.onnx")


def test_a_file_of_fields_without_end_is_refused() -> None:
    with pytest.raises(NetworkError, match="more than 200,000 fields"):
        inspect(b"\x08\x01" * 1_000_000, "dec.onnx")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_refused(share: float) -> None:
    whole = decoder_file()
    with pytest.raises(NetworkError, match=r"dec.onnx is no ONNX file: .*Export it again"):
        inspect(whole[: int(share * len(whole))], "dec.onnx")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(NetworkError):
        inspect(content, "dec.onnx")


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_damaged_file_is_passed_or_refused_and_nothing_else(place: int, byte: int) -> None:
    nodes = [node("MatMul", "input w", "h"), node("Sigmoid", "h", "output")]
    content = bytearray(
        file_of(nodes, constants={"w": np.ones((2, 4), np.float32)}).SerializeToString()
    )
    content[place % len(content)] = byte
    with suppress(NetworkError):
        inspect(bytes(content), "dec.onnx")
