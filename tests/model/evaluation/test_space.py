import numpy as np
import torch

from model.evaluation.space import encode, fit_gaussian, intensities, mean_images, prior
from tests.model.evaluation import linear


def test_the_fitted_gaussian_has_the_mean_and_the_covariance_of_the_codes() -> None:
    codes = torch.randn(300, 3, dtype=torch.float64) @ torch.randn(3, 3, dtype=torch.float64)
    fitted = fit_gaussian(codes)
    np.testing.assert_allclose(fitted.mean_D, codes.numpy().mean(0))
    np.testing.assert_allclose(
        fitted.scale_DR @ fitted.scale_DR.T, np.cov(codes.numpy().T), rtol=1e-9
    )


def test_coordinates_lead_back_to_where_they_came_from() -> None:
    codes = torch.randn(300, 3, dtype=torch.float64) * torch.tensor([9.0, 1.0, 0.1])
    fitted = fit_gaussian(codes)
    np.testing.assert_allclose(fitted.place(fitted.coordinates(codes)), codes, atol=1e-9)
    np.testing.assert_allclose(torch.cov(fitted.coordinates(codes).T), np.eye(3), atol=1e-9)


def test_a_latent_that_never_varies_is_no_direction_to_draw_in() -> None:
    codes = torch.randn(300, 3, dtype=torch.float64)
    codes[:, 1] = 7
    fitted = fit_gaussian(codes)
    assert fitted.rank == 2
    np.testing.assert_allclose(fitted.draw(50, seed=0)[:, 1], 7)


def test_a_vae_draws_from_its_prior_and_an_autoencoder_from_where_its_codes_are() -> None:
    image_NP = intensities(linear.cloud(500).images)
    vae, autoencoder = linear.prior_vae(), linear.autoencoder(scale=10, offset=100)
    drawn = prior(vae, encode(vae, image_NP)).draw(4000, seed=0)
    np.testing.assert_allclose(drawn.mean(0), [0, 0], atol=0.1)
    np.testing.assert_allclose(torch.cov(drawn.T), np.eye(2), atol=0.1)
    code_ND = encode(autoencoder, image_NP)
    drawn = prior(autoencoder, code_ND).draw(4000, seed=0)
    np.testing.assert_allclose(drawn.mean(0), code_ND.mean(0), atol=0.1)
    np.testing.assert_allclose(drawn.std(0), code_ND.std(0), rtol=0.1)


def test_mean_images_are_those_of_the_likelihood_and_not_of_a_sigmoid() -> None:
    fading = linear.fading()
    z_ND = torch.tensor([[1.0, 2.0], [0.5, 0.0]])
    expected = 0.3 + z_ND @ fading.decoder.matrix  # type: ignore[operator]
    torch.testing.assert_close(mean_images(fading, z_ND), expected.clamp(0, 1))
