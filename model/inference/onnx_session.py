"""ONNX Runtime, which draws and encodes on a processor where it is installed.

Eager PyTorch is the reference, and does both on every device. ONNX Runtime wants a third of the
time, and gives a latent the same bytes in whatever batch, without padding. See docs/adr/0014.
"""

from __future__ import annotations

import numpy as np

from model.inference.onnx_graph import Graph, Port

try:
    import onnxruntime
except ImportError:  # it is optional
    onnxruntime = None


def name() -> str:
    """Which one works on a processor, `onnx` or `torch`: they differ by a grey level at times."""
    return "torch" if onnxruntime is None else "onnx"


def chosen(device: str) -> bool:
    """Whether ONNX Runtime is to work on this device."""
    return device == "cpu" and name() == "onnx"


class Run:
    """A graph that is ready to run, on one thread as torch is (docs/adr/0004).

    Args:
        graph: Its weights are copied, and packed, while this is made; they may go afterwards.
        port: What it gives.
        keeps: Whether the memory of the largest batch so far is kept for the next: a tenth faster.
    """

    def __init__(self, graph: Graph, port: Port, *, keeps: bool = False) -> None:
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = keeps
        weights = list(map(onnxruntime.OrtValue.ortvalue_from_numpy, graph.weights.values()))
        options.add_external_initializers(list(graph.weights), weights)
        file = graph.to_bytes(port)
        self._session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])
        self._session.disable_fallback()  # which would make it anew, of weights that may be gone

    def __call__(self, **sources: np.ndarray) -> np.ndarray:
        """The result for these sources, by their names."""
        if not all(map(len, sources.values())):  # at which ONNX Runtime ends the process
            blank = {name: np.zeros((1, *a.shape[1:]), a.dtype) for name, a in sources.items()}
            return self(**blank)[:0]
        (found,) = self._session.run(None, sources)
        return np.asarray(found)
