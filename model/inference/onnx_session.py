"""ONNX Runtime, which decodes and encodes on a CPU if it is installed.

Eager PyTorch is the reference and runs on every device. ONNX Runtime takes a third of the time, and
gives a latent the same bytes in every batch without padding. See docs/adr/0014.
"""

from __future__ import annotations

import numpy as np

from model.inference.onnx_file import Signature
from model.inference.onnx_graph import Graph, Port

try:
    import onnxruntime
except ImportError:  # it is optional
    onnxruntime = None

TOGETHER = 16
"""Rows that a network of somebody's is given at once: they fit into memory."""


def name() -> str:
    """Return what runs on a CPU, `onnx` or `torch`; their grey levels differ by 1 at times."""
    return "torch" if onnxruntime is None else "onnx"


def chosen(device: str) -> bool:
    """Return whether ONNX Runtime is used on this device."""
    return device == "cpu" and name() == "onnx"


class Run:
    """A graph that is ready to run, on one thread like torch (docs/adr/0004).

    Args:
        graph: Its weights are copied and packed here, and are not needed afterwards.
        port: The output.
        keeps: Whether the memory of the largest batch so far is kept, which is a tenth faster.
    """

    def __init__(self, graph: Graph, port: Port, *, keeps: bool = False) -> None:
        options = _options()
        options.enable_cpu_mem_arena = keeps
        weights = list(map(onnxruntime.OrtValue.ortvalue_from_numpy, graph.weights.values()))
        options.add_external_initializers(list(graph.weights), weights)
        file = graph.to_bytes(port)
        self._session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])
        self._names = [one.name for one in self._session.get_inputs()]
        self._session.disable_fallback()  # a fallback would need the weights again

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        """Return the output for these inputs, in the order of the graph's own."""
        if not all(map(len, inputs)):  # ONNX Runtime ends the process on empty inputs
            return self(*(np.zeros((1, *one.shape[1:]), one.dtype) for one in inputs))[:0]
        (found,) = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        return np.asarray(found)


class ForeignRun:
    """A network of somebody's that is ready to run, `TOGETHER` rows at a time.

    Args:
        content: An ONNX file that `onnx_file.inspect` has passed.
        signature: What it returned.
    """

    def __init__(self, content: bytes, signature: Signature) -> None:
        options = _options()
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4  # what is wrong is raised, and told in our words
        self._session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        self._session.disable_fallback()
        self._signature = signature

    def __call__(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return each output for all rows."""
        name, sizes, outputs = self._signature
        if not len(rows):  # ONNX Runtime ends the process on empty inputs
            return [output[:0] for output in self(np.zeros((1, *sizes), np.float32))]
        starts = range(0, len(rows), TOGETHER)
        parts = [
            self._session.run(outputs, {name: rows[start : start + TOGETHER]}) for start in starts
        ]
        if len(parts) == 1:
            return list(parts[0])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _options() -> onnxruntime.SessionOptions:
    """Return options for one thread."""
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options
