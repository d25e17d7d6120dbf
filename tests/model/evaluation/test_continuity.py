"""Second sources: reverse differentiation with an SVD, plane geometry, slow loops."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from model.evaluation import continuity
from model.evaluation.classifier import load_classifier
from model.evaluation.continuity import (
    local_lipschitz,
    measure_continuity,
    needless_flips,
    path_length_ratios,
)
from model.evaluation.space import encode, fit_gaussian, intensities
from model.vae.autoencoder import Autoencoder
from model.vae.networks import RecurrentDecoder
from tests.model.evaluation import linear

CLASSIFIER = load_classifier("mnist")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuity, "POINTS", 200)
    monkeypatch.setattr(continuity, "LINES", 40)


@pytest.mark.parametrize(
    "decoder",
    [nn.Sequential(nn.Linear(3, 20), nn.SiLU(), nn.Linear(20, 784)), RecurrentDecoder(3, 8)],
    ids=["dense", "recurrent"],
)
def test_the_local_constant_is_the_greatest_singular_value_of_the_jacobian(
    decoder: nn.Module,
) -> None:
    autoencoder = Autoencoder(linear.corner_encoder(3), decoder).requires_grad_(False)
    spread = fit_gaussian(torch.randn(50, 3, dtype=torch.float64) * torch.tensor([3.0, 1.0, 0.2]))
    u_NR = torch.randn(5, 3, dtype=torch.float64)
    measured = local_lipschitz(autoencoder, spread, u_NR)
    decoder.double()
    for u_R, value in zip(u_NR, measured, strict=True):
        J_PR = torch.func.jacrev(lambda u: decoder(spread.place(u[None])).sigmoid()[0])(u_R)
        assert value.item() == pytest.approx(np.linalg.svd(J_PR)[1][0], rel=1e-4)


def test_latent_space_can_be_stretched_and_moved_without_changing_its_continuity() -> None:
    examples = linear.cloud(300)
    small, large = linear.autoencoder(), linear.autoencoder(scale=50, offset=-200)
    first, second = (measure_continuity(each, examples, CLASSIFIER) for each in (small, large))
    for name in ("lipschitz_median", "lipschitz_p95", "lipschitz_max", "path_length_ratio"):
        assert first[name] == pytest.approx(second[name], rel=2e-3)
    assert first["label_flips"] == pytest.approx(second["label_flips"], abs=0.1)


def test_a_decoder_with_more_contrast_is_less_continuous() -> None:
    examples = linear.cloud(300)
    calm, loud = (
        measure_continuity(linear.autoencoder(contrast=c), examples, CLASSIFIER) for c in (0.5, 1)
    )
    assert loud["lipschitz_median"] == pytest.approx(2 * calm["lipschitz_median"], rel=0.15)
    assert loud["lipschitz_median"] < loud["lipschitz_p95"] < loud["lipschitz_max"]


def test_images_that_fade_into_each_other_have_a_path_as_long_as_their_distance() -> None:
    examples, fading = linear.cloud(300), linear.fading()
    measured = measure_continuity(fading, examples, CLASSIFIER)
    assert measured["path_length_ratio"] == pytest.approx(1, abs=1e-3)
    spread = fit_gaussian(encode(fading, intensities(examples.images)))
    slope = spread.scale_DR.T.float() @ fading.decoder.matrix  # type: ignore[operator]
    greatest = np.linalg.svd(slope)[1][0]
    assert measured["lipschitz_median"] == pytest.approx(greatest, abs=2e-3)
    assert measured["lipschitz_max"] == pytest.approx(greatest, abs=2e-3)


def test_a_collapsed_decoder_has_no_slope_no_flips_and_no_paths() -> None:
    measured = measure_continuity(linear.deaf(), linear.cloud(300), CLASSIFIER)
    assert measured["lipschitz_max"] == 0
    assert measured["label_flips"] == 0
    assert measured["recognised_on_lines"] == 0
    assert measured["path_length_ratio"] is None


def test_half_a_circle_is_longer_than_its_diameter_by_half_of_pi() -> None:
    angle = torch.linspace(0, math.pi, 2001, dtype=torch.float64)
    arc_SP = torch.stack([angle.cos(), angle.sin()], dim=1)
    still_SP = torch.zeros_like(arc_SP)
    ratios = path_length_ratios(torch.stack([arc_SP, still_SP]))
    assert ratios.tolist() == [pytest.approx(math.pi / 2, rel=1e-6)]


@given(st.lists(st.integers(0, 3), min_size=2, max_size=12))
def test_flips_are_needless_but_for_one_between_ends_that_differ(answers: list[int]) -> None:
    changes = sum(before != after for before, after in pairwise(answers))
    needed = 0 if answers[0] == answers[-1] else 1
    assert needless_flips(torch.tensor([answers])).tolist() == [changes - needed]


def test_lines_lead_between_different_classes() -> None:
    examples = linear.cloud(300)
    codes = encode(linear.autoencoder(), intensities(examples.images))
    lines = continuity._lines(codes, torch.from_numpy(examples.labels)).view(40, 65, 2)
    for start, end in ((line[0], line[-1]) for line in lines):
        first, last = ((codes - place).norm(dim=1).argmin() for place in (start, end))
        assert examples.labels[first] != examples.labels[last]
