from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model.checkpoint import CHECKPOINTS, read_checkpoint
from model.data import datasets
from model.errors import RecipeError
from model.recipes.recipe import Recipe
from model.vae.autoencoder import VariationalAutoencoder, build_autoencoder
from model.vae.dataset_elbo import mean_bound
from model.vae.posterior import CholeskyPosterior
from model.vae.refinement import refine

PEAK = torch.tensor([[0.9, -0.4], [-1.5, 0.2], [0.1, 2.0]])
PRECISION = torch.tensor([[900.0, 500.0], [500.0, 600.0]])
COVARIANCE = torch.linalg.inv(PRECISION + torch.eye(2))
"""That of the true posterior: of a Gaussian peak times N(0, I). Its widths are 0.05 and 0.06."""
REFINED = sorted(
    path.parent.name
    for path in CHECKPOINTS.glob("*/card.json")
    if Recipe.load(path.parent.name).refinements
)


def log_prob(image_BP: Tensor, z_BD: Tensor) -> Tensor:
    """A decoder of which an image tells, in its first two pixels, where it was drawn."""
    away_BD = z_BD - image_BP[:, :2]
    return -0.5 * ((away_BD @ PRECISION.to(away_BD)) * away_BD).sum(-1)


def images(peak_B2: Tensor = PEAK) -> Tensor:
    image_BP = torch.zeros(len(peak_B2), 784)
    image_BP[:, :2] = peak_B2
    return image_BP


def round_about(mean_B2: Tensor, width: float) -> CholeskyPosterior:
    B = len(mean_B2)
    return CholeskyPosterior(mean_B2, torch.full((B, 2), width).log(), torch.zeros(B, 1))


def after(rounds: int, posterior: CholeskyPosterior, image_BP: Tensor) -> CholeskyPosterior:
    for _ in range(rounds):
        posterior = refine(posterior, image_BP, log_prob)
    return posterior


@pytest.mark.parametrize("width", [0.02, 0.06, 0.3])
def test_rounds_find_the_true_posterior_from_an_encoder_that_was_off(width: float) -> None:
    off = PEAK + torch.tensor([0.1, -0.08])
    found = after(12, round_about(off, width), images())
    true_B2 = PEAK @ PRECISION @ COVARIANCE
    assert found.mean == pytest.approx(true_B2, abs=0.01)
    spread_B22 = found.scale_tril @ found.scale_tril.mT
    # the cells' own width, added in every round, settles at 1 / (1 - 1.5^2 / 12) = 1.23
    assert spread_B22 == pytest.approx((1.23 * COVARIANCE).expand(3, 2, 2), rel=0.1)


def test_a_round_moves_an_ellipse_in_its_own_frame_however_thin_it_is() -> None:
    thin = CholeskyPosterior(
        PEAK, torch.tensor([[-2.0, -16.0]]).expand(3, 2), torch.full((3, 1), 0.135)
    )
    found = after(3, thin, images())
    assert torch.isfinite(found.scale_tril).all()
    assert (found.scale_tril.diagonal(dim1=1, dim2=2) > 0).all()


@pytest.mark.parametrize("width", [1e-12, 1e4])
def test_what_an_encoder_never_says_still_gives_numbers(width: float) -> None:
    found = after(2, round_about(PEAK, width), images())
    assert torch.isfinite(found.mean).all()
    assert torch.isfinite(found.kl_to_prior()).all()


def test_an_image_is_refined_alone_as_it_is_among_others() -> None:
    peak_B2 = torch.randn(57, 2, generator=torch.Generator().manual_seed(0))
    together = after(2, round_about(peak_B2 + 0.05, 0.1), images(peak_B2))
    for i in (0, 19, 20, 56):
        alone = after(2, round_about(peak_B2[i : i + 1] + 0.05, 0.1), images(peak_B2[i : i + 1]))
        assert alone.mean[0] == pytest.approx(together.mean[i], abs=1e-5)
        assert alone.scale_tril[0] == pytest.approx(together.scale_tril[i], abs=1e-5)


@pytest.mark.parametrize("name", REFINED)
def test_a_shipped_decoder_knows_better_than_its_encoder(name: str) -> None:
    vae = read_checkpoint(CHECKPOINTS / name).autoencoder
    assert isinstance(vae, VariationalAutoencoder)
    grey_NP = datasets.test_set("mnist").images[:80].reshape(80, -1).astype(np.float32) / 255
    elbos = []
    for rounds in range(vae.refinements + 1):
        vae.refinements = rounds
        elbos.append(mean_bound(vae, grey_NP)["elbo"] or 0.0)
    assert elbos[1] > elbos[0] + 2
    assert elbos == sorted(elbos)


def test_an_untrained_decoder_corrects_nobody() -> None:
    vae = build_autoencoder(Recipe.load("mnist-vae-2d"))
    assert isinstance(vae, VariationalAutoencoder)
    assert vae.refinements == 0


@pytest.mark.parametrize("change", [{"posterior": "diagonal"}, {"latent_dim": 3}])
def test_rounds_need_a_plane_and_ellipses_that_turn(change: dict[str, Any]) -> None:
    table = Recipe.load("mnist-vae-2d").as_dict()
    with pytest.raises(RecipeError, match="refinements need a plane"):
        Recipe.from_dict({**table, **change})


@pytest.mark.parametrize("rounds", [-1, 10])
def test_the_number_of_rounds_has_bounds(rounds: int) -> None:
    with pytest.raises(RecipeError, match="must be 0 to 9"):
        Recipe.from_dict({**Recipe.load("mnist-vae-2d").as_dict(), "refinements": rounds})
