"""The steps of a run: matrix products, the learning rate's schedule, the average of weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

PRECISIONS = ("medium", "high", "highest")
"""Precisions of matrix products, as in `torch.set_float32_matmul_precision`."""


@contextmanager
def products(precision: str = PRECISIONS[0]) -> Iterator[None]:
    """Set the precision of matrix products within the context, where that makes them faster.

    CPUs and GPUs that support it round the factors to bfloat16 (with `high`, and on a GPU, to
    TensorFloat-32) and sum in float32. Elsewhere, and with `highest`, nothing is rounded. Weights,
    gradients and the optimiser are float32 everywhere. See docs/adr/0018.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class Average:
    """An exponential moving average of weights, which is less noisy than the last step's weights.

    The decay rises with the steps, so that the average forgets its start.

    Source: Polyak & Juditsky 1992.
    """

    def __init__(self, parameters: list[nn.Parameter], decay: float) -> None:
        self.parameters = parameters if decay else []
        self.decay = decay
        self.averages = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            average.lerp_(parameter, weight)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Set the parameters to their averages within the context."""
        current = [p.detach().clone() for p in self.parameters]
        self.keep()
        try:
            yield
        finally:
            self._put(current)

    def keep(self) -> None:
        """Set the parameters to their averages."""
        self._put(self.averages)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    def tensors(self) -> dict[str, Tensor]:
        return {f"average.{i}": average for i, average in enumerate(self.averages)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        for i, average in enumerate(self.averages):
            average.copy_(tensors[f"average.{i}"])


def schedule(progress: float, warmup: float, decay: str) -> float:
    """Return the learning rate as a share of its peak, after a share `progress` of all steps."""
    if progress < warmup:
        return progress / warmup
    if decay == "none":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
