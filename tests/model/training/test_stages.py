"""Second sources: the mathematics of each stage computed anew, and what the stages promise."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model.autoencoder import VariationalAutoencoder, build_autoencoder
from model.objective import sampled_elbo
from model.recipe import Recipe
from model.training.stages import Distil, Fit, Images
from tests.model import tiny

GREY = torch.randint(256, (100, 784), generator=torch.Generator().manual_seed(0)).byte()


def images(*, binarise: bool = False) -> Images:
    return Images(GREY, GREY[:10], binarise)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return tiny.recipe(tmp_path)


@pytest.fixture
def vae(recipe: Recipe) -> VariationalAutoencoder:
    torch.manual_seed(0)
    vae = build_autoencoder(recipe, recipe.trained_decoder)
    assert isinstance(vae, VariationalAutoencoder)
    return vae


def rows(batches: list[Tensor]) -> list[bytes]:
    return [row.numpy().tobytes() for batch in batches for row in batch]


def test_a_pass_over_the_images_shows_none_twice_and_leaves_out_less_than_a_batch() -> None:
    batches = list(images().batches(30))
    assert [len(batch) for batch in batches] == [30, 30, 30]
    known = {row.numpy().tobytes() for row in GREY.float() / 255}
    assert len(set(rows(batches))) == 90
    assert set(rows(batches)) <= known


def test_each_pass_goes_in_an_order_of_its_own_that_the_seed_decides() -> None:
    torch.manual_seed(1)
    once, again = (rows(list(images().batches(50))) for _ in range(2))
    torch.manual_seed(1)
    assert rows(list(images().batches(50))) == once
    assert again != once


def test_binarised_pixels_are_drawn_afresh_with_their_grey_levels_as_odds() -> None:
    torch.manual_seed(0)
    draws = torch.stack([images(binarise=True).intensities(GREY[:20]) for _ in range(200)])
    assert ((draws == 0) | (draws == 1)).all()
    worst_of_16_thousand = 5 * 0.5 / 200**0.5  # standard errors
    torch.testing.assert_close(draws.mean(0), GREY[:20] / 255, rtol=0, atol=worst_of_16_thousand)


def test_the_kl_weighs_a_tenth_at_first_and_all_of_beta_after_its_warm_up(
    recipe: Recipe, vae: VariationalAutoencoder
) -> None:
    recipe = replace(recipe, beta=3.0)  # 3 epochs of 2 batches, half of them to warm up
    fit = Fit(vae, images(), recipe)
    for epoch, weights in ((0, [0.1, 0.4]), (1, [0.7, 1.0]), (2, [1.0, 1.0])):
        torch.manual_seed(epoch)
        losses = [loss.item() for loss in fit.losses(epoch)]
        torch.manual_seed(epoch)
        for loss, weight, image in zip(losses, weights, images().batches(50), strict=True):
            noise = torch.randn(50, 2)
            bound = sampled_elbo(vae, image, noise)
            expected = (3.0 * weight * bound.kl - bound.reconstruction).mean()
            assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_what_is_followed_is_the_true_bound_whatever_beta_trains(
    recipe: Recipe, vae: VariationalAutoencoder
) -> None:
    plain = Fit(vae, images(), recipe).follow()
    assert plain == Fit(vae, images(), replace(recipe, beta=7.0)).follow()
    assert plain["elbo"] == pytest.approx(plain["reconstruction"] - plain["kl"])
    with torch.no_grad():
        kl = vae.posterior(GREY[:10].float() / 255).kl_to_prior().sum(-1).mean()
    assert plain["kl"] == pytest.approx(kl.item(), rel=1e-5)


def test_a_student_that_is_its_teacher_has_nothing_to_learn(
    recipe: Recipe, vae: VariationalAutoencoder
) -> None:
    assert recipe.distillation is not None
    distil = Distil(vae, vae.decoder, images(), recipe.distillation)
    assert distil.follow()["kl_to_teacher"] == pytest.approx(0, abs=1e-3)


def test_the_gap_to_the_teacher_is_the_kl_between_their_images(
    recipe: Recipe, vae: VariationalAutoencoder
) -> None:
    """A student of one grey, p = 1/2, is off by log 2 - H(p) at each of the teacher's pixels."""
    assert recipe.distillation is not None
    last = list(vae.decoder.children())[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)  # now the teacher draws the same image everywhere
    nn.init.normal_(last.bias)
    student = nn.Linear(2, 784)
    nn.init.zeros_(student.weight)
    nn.init.zeros_(student.bias)

    expected = 0.0
    for logit in last.bias.tolist():
        p = 1 / (1 + math.exp(-logit))
        expected += math.log(2) + p * math.log(p) + (1 - p) * math.log(1 - p)
    distil = Distil(vae, student, images(), recipe.distillation)
    assert distil.follow()["kl_to_teacher"] == pytest.approx(expected, rel=1e-4)
