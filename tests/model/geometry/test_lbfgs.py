"""Second sources: closed forms of a quadratic's minimum, and Rosenbrock's known one."""

import torch
from torch import Tensor

from model.geometry.computation import Pieces, complete
from model.geometry.lbfgs import minimise


def test_the_minimum_of_a_quadratic_is_found_in_few_evaluations() -> None:
    torch.manual_seed(0)
    root = torch.randn(8, 8, dtype=torch.float64)
    matrix, target = root @ root.T + torch.eye(8), torch.randn(8, dtype=torch.float64)
    count = 0

    def quadratic(x: Tensor) -> Pieces[tuple[float, Tensor]]:
        nonlocal count
        count += 1
        yield
        return float(0.5 * x @ matrix @ x - target @ x), matrix @ x - target

    found = complete(minimise(quadratic, torch.zeros(8, dtype=torch.float64), 60))
    torch.testing.assert_close(found, torch.linalg.solve(matrix, target), rtol=1e-4, atol=1e-5)
    assert count <= 60


def rosenbrock(point: Tensor) -> Pieces[tuple[float, Tensor]]:
    yield
    x, y = point.tolist()
    value = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return value, torch.tensor(slope, dtype=torch.float64)


def test_a_bent_valley_is_followed_to_its_end() -> None:
    start = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    found = complete(minimise(rosenbrock, start, 100))
    torch.testing.assert_close(found, torch.ones(2, dtype=torch.float64), rtol=1e-3, atol=1e-3)


def test_no_more_evaluations_are_made_than_allowed() -> None:
    asked = 0

    def counted(x: Tensor) -> Pieces[tuple[float, Tensor]]:
        nonlocal asked
        asked += 1
        return (yield from rosenbrock(x))

    complete(minimise(counted, torch.tensor([-1.2, 1.0], dtype=torch.float64), 7))
    assert asked == 7


def test_a_value_that_is_no_number_shortens_the_step() -> None:
    def guarded(x: Tensor) -> Pieces[tuple[float, Tensor]]:
        yield
        value = float((x - 3).square()) if float(x) < 3.5 else float("nan")
        return value, 2 * (x - 3) if value == value else torch.full_like(x, torch.nan)

    found = complete(minimise(guarded, torch.tensor(-400.0, dtype=torch.float64), 40))
    assert abs(float(found) - 3) < 1e-3
