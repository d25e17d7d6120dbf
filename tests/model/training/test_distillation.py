"""Second sources: closed forms for a teacher and a student that draw one image everywhere."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model.recipes.tables import Distillation
from model.training.distillation import Distil, LatentSource
from model.training.stages import Images
from model.vae.autoencoder import VariationalAutoencoder, build_autoencoder
from model.vae.posterior import CholeskyPosterior, Posterior
from tests.model import tiny

GREY = torch.randint(256, (100, 784), generator=torch.Generator().manual_seed(0)).byte()
IMAGES = Images(GREY, GREY[:10], False)
TABLE = Distillation(teacher="small-vae", epochs=2, batch_size=16)


@pytest.fixture
def vae(tmp_path: Path) -> VariationalAutoencoder:
    torch.manual_seed(0)
    vae = build_autoencoder(tiny.recipe(tmp_path))
    assert isinstance(vae, VariationalAutoencoder)
    return vae


def test_a_student_that_is_its_teacher_has_nothing_to_learn(vae: VariationalAutoencoder) -> None:
    distil = Distil(vae, vae.decoder, IMAGES, TABLE)
    assert distil.follow()["kl_to_teacher"] == pytest.approx(0, abs=1e-3)


def test_the_gap_to_the_teacher_is_the_kl_between_their_images(
    vae: VariationalAutoencoder,
) -> None:
    """A student of one grey, p = 1/2, is off by log 2 - H(p) at each of the teacher's pixels."""
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
    distil = Distil(vae, student, IMAGES, TABLE)
    assert distil.follow()["kl_to_teacher"] == pytest.approx(expected, rel=1e-4)


def test_the_teacher_learns_nothing(vae: VariationalAutoencoder) -> None:
    student = nn.Linear(2, 784)
    torch.autograd.backward(next(iter(Distil(vae, student, IMAGES, TABLE).losses(0))))
    assert student.weight.grad is not None
    assert all(parameter.grad is None for parameter in vae.parameters())


class Aside(VariationalAutoencoder):
    """All its posteriors are one, far from the prior, with correlated latents."""

    def posterior(self, image_BP: Tensor) -> Posterior:
        one = torch.ones(len(image_BP), 2)
        return CholeskyPosterior(500 * one, math.log(2) * one, 3 * one[:, :1])


@pytest.mark.parametrize("share", [0.0, 0.125, 1.0])
def test_latents_come_from_the_widened_posteriors_and_a_share_from_twice_the_prior(
    share: float,
) -> None:
    torch.manual_seed(0)
    vae = Aside(nn.Identity(), nn.Identity(), 2, correlated=True)
    table = replace(TABLE, prior_share=share, posterior_scale=1.5)
    z = LatentSource(vae, IMAGES, GREY, table).draw(40_000)
    assert z.shape == (40_000, 2)
    far = z.norm(dim=1) > 250
    assert (~far).sum().item() == share * 40_000
    scale = 1.5 * torch.tensor([[2.0, 0.0], [3.0, 2.0]])
    for draws, covariance in ((z[far], scale @ scale.T), (z[~far], 4 * torch.eye(2))):
        if len(draws):
            margin = 5 * covariance.max().item() * (2 / len(draws)) ** 0.5
            torch.testing.assert_close(torch.cov(draws.T), covariance, rtol=0, atol=margin)
