"""L-BFGS, which minimises a smooth function from its values and gradients alone.

PyTorch's own would import its compiler, for 2 seconds, and does several evaluations in one call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from torch import Tensor

from model.geometry.computation import Pieces

HISTORY = 10
"""Steps from which the curvature is estimated."""
SUFFICIENT = 1e-4
"""Share of the decrease that the slope promises which a step must reach (Armijo)."""
SHORTEST, LONGEST = 0.1, 0.5
"""Bounds on the factor by which a step that was too long is shortened."""
FLAT = 1e-9
"""Slope at which the search ends."""

Gradient = Callable[[Tensor], Pieces[tuple[float, Tensor]]]


def minimise(function: Gradient, start: Tensor, evaluations: int) -> Pieces[Tensor]:
    """Descend from `start`; return the lowest point found.

    Args:
        function: Return the value and the gradient at a point, in pieces.
        start: A tensor of any shape.
        evaluations: How often the function may be evaluated.

    Source: Nocedal & Wright 2006, "Numerical Optimization", algorithms 3.1, 7.4 and 7.5.
    """
    point = start
    value, gradient = yield from function(point)
    steps: deque[tuple[Tensor, Tensor]] = deque(maxlen=HISTORY)
    length = min(1.0, 1.0 / max(float(gradient.abs().sum()), 1e-12))
    direction, slope = -gradient, -float(gradient.square().sum())
    for _ in range(evaluations - 1):
        if slope > -FLAT:
            break
        trial = point + length * direction
        trial_value, trial_gradient = yield from function(trial)
        if not trial_value <= value + SUFFICIENT * length * slope:  # too high, or not a number
            excess = trial_value - value - length * slope
            lowest = -slope * length / (2 * excess)  # of the parabola through what is known
            length *= min(max(lowest, SHORTEST), LONGEST) if lowest > 0 else SHORTEST
            continue
        moved, turned = trial - point, trial_gradient - gradient
        if float((moved * turned).sum()) > 1e-10 * float(moved.square().sum()):
            steps.append((moved, turned))
        point, value, gradient = trial, trial_value, trial_gradient
        direction = -_times_inverse_hessian(gradient, steps)
        slope, length = float((direction * gradient).sum()), 1.0
    return point


def _times_inverse_hessian(vector: Tensor, steps: deque[tuple[Tensor, Tensor]]) -> Tensor:
    """Multiply by the inverse of the Hessian as the steps show it (the two-loop recursion)."""
    shares = []
    for moved, turned in reversed(steps):
        share = (moved * vector).sum() / (moved * turned).sum()
        shares.append(share)
        vector = vector - share * turned
    if steps:
        moved, turned = steps[-1]
        vector = vector * (moved * turned).sum() / turned.square().sum()
    for (moved, turned), share in zip(steps, reversed(shares), strict=True):
        vector = vector + (share - (turned * vector).sum() / (moved * turned).sum()) * moved
    return vector
