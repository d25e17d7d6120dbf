"""Networks that may be looked at but not run: what they take is found in a process of its own."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import pytest

from model.errors import NetworkError
from model.inference import onnx_trial
from model.inference.onnx_file import inspect
from model.inference.onnx_session import TOGETHER
from model.inference.onnx_trial import Tried, tried
from tests.model.foreign import decoder_file, encoder_file, file_of, node

I64 = np.int64
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")


def of(model: onnx.ModelProto) -> Tried:
    content = model.SerializeToString()
    return tried({"dec.onnx": (content, inspect(content, "dec.onnx"))})["dec.onnx"]


def refused(model: onnx.ModelProto) -> str:
    with pytest.raises(NetworkError) as raised:
        of(model)
    return str(raised.value)


def wide(width: int, products: int) -> onnx.ModelProto:
    """Each row times a constant of width x width, and that to a power."""
    nodes = [
        node("ConstantOfShape", "square", "ones"),
        node("ReduceMax", "input", "most", keepdims=1, axes=[1]),
        node("Unsqueeze", "most last", "column"),
        node("Add", "column ones", "x0"),
        *(node("MatMul", f"x{n} x{n}", f"x{n + 1}") for n in range(products)),
        node("ReduceMean", f"x{products}", "mean", axes=[2], keepdims=0),
        node("Sigmoid", "mean", "output"),
    ]
    constants = {"square": np.array([width, width], I64), "last": np.array([2], I64)}
    return file_of(nodes, constants=constants)


def test_what_two_networks_give_is_told_by_their_names() -> None:
    files = {"e": encoder_file(3), "d": decoder_file(3)}
    found = tried({name: (file, inspect(file, name)) for name, file in files.items()})
    assert found["e"].shapes == ((TOGETHER, 3), (TOGETHER, 3))
    assert found["d"].shapes == ((TOGETHER, 1, 28, 28),)


def test_the_second_network_is_named_if_it_is_the_one_that_fails() -> None:
    bad = file_of([node("Reshape", "input size", "output")], constants={"size": np.array([7], I64)})
    files = {"e": encoder_file(3), "d": bad.SerializeToString()}
    with pytest.raises(NetworkError, match=r"^d cannot be run: .*Reshape"):
        tried({name: (file, inspect(file, name)) for name, file in files.items()})


def test_a_network_that_takes_too_long_for_one_image_is_refused() -> None:
    assert "seconds of a processor for one image; it may take 0.25" in refused(wide(1000, 20))


@linux
def test_a_network_that_takes_too_much_memory_is_refused() -> None:
    nodes = [
        node("Unsqueeze", "input last", "column"),
        node("Expand", "column size", "wide"),
        node("ReduceMax", "wide", "output", axes=[2], keepdims=0),
    ]
    constants = {"last": np.array([2], I64), "size": np.array([1, 1, 2**28], I64)}
    message = refused(file_of(nodes, constants=constants))
    assert "takes more than 1,024 MiB of memory for 16 images" in message


@linux
def test_a_constant_that_takes_too_much_memory_is_refused_while_it_is_loaded() -> None:
    nodes = [
        node("ConstantOfShape", "size", "huge"),
        node("ReduceMean", "huge", "mean", axes=[0, 1], keepdims=0),
        node("Add", "input mean", "output"),
    ]
    constants = {"size": np.array([2**20, 2**12], I64)}
    assert "takes more than 1,024 MiB of memory" in refused(file_of(nodes, constants=constants))


def test_a_network_that_mixes_the_rows_of_a_batch_is_refused() -> None:
    nodes = [
        node("ReduceMean", "input", "mean", axes=[0], keepdims=1),
        node("Sub", "input mean", "output"),
    ]
    assert "another result among others than alone" in refused(file_of(nodes))


def test_a_network_that_gives_what_is_not_a_number_is_refused() -> None:
    nodes = [node("Neg", "input", "below"), node("Log", "below", "output")]
    assert "numbers that are not finite" in refused(file_of(nodes))


def test_a_network_that_gives_one_result_for_all_rows_is_refused() -> None:
    nodes = [node("ReduceMean", "input", "output", keepdims=0)]
    assert "each row must give one" in refused(file_of(nodes))


def test_operators_that_do_not_fit_together_are_refused_in_a_sentence() -> None:
    model = file_of([node("MatMul", "input w", "output")], constants={"w": np.ones((5, 2), "f")})
    message = refused(model)
    assert message.startswith("dec.onnx cannot be run: ")
    assert "\n" not in message


def test_an_operator_that_another_version_has_is_refused_in_a_sentence() -> None:
    assert "cannot be run" in refused(file_of([node("Gelu", "input", "output")]))


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_trial, "PATIENCE_SECONDS", 0.01)
    assert "takes more than 60 seconds to load and try" in refused(wide(10, 1))
