"""What the engine makes of images, over shipped checkpoints and some trained within these tests.

Second sources: the checkpoint's own networks, Monte Carlo, torch.distributions.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from model.checkpoint import Checkpoint, read_checkpoint
from model.data import datasets
from model.engine import Code, Encoding, Engine
from model.errors import ImageError
from model.inference import onnx_session
from model.vae.autoencoder import VariationalAutoencoder
from tests.model import pixels

IMAGES = datasets.test_set("mnist").images[:70].astype(np.float32) / 255


def test_the_code_of_a_shipped_image_is_what_encoding_it_gives(engine: Engine) -> None:
    shipped = datasets.test_set(engine.card.dataset).images[:70]
    encoding = engine.encode(shipped.astype(np.float32) / 255)
    assert encoding.mean is not None
    assert encoding.indices is None
    np.testing.assert_allclose(encoding.mean, engine.codes[:70], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(encoding.reconstruction_image, engine.decode(encoding.mean))


def test_the_elbo_of_an_image_adds_up(engine: Engine, checkpoint: Checkpoint) -> None:
    encoding = engine.encode(IMAGES)
    if engine.card.likelihood == "bernoulli":  # the others are densities, and may exceed 1
        assert (encoding.reconstruction < 0).all()
    if not isinstance(checkpoint.autoencoder, VariationalAutoencoder):
        assert encoding.covariance is encoding.kl_per_dimension is encoding.kl is None
        assert encoding.total is None
        return
    assert encoding.kl_per_dimension is not None
    assert encoding.kl is not None
    assert encoding.total is not None
    np.testing.assert_allclose(encoding.kl_per_dimension.sum(1), encoding.kl, rtol=1e-6)
    np.testing.assert_allclose(encoding.reconstruction - encoding.kl, encoding.total, rtol=1e-6)
    with torch.no_grad():
        posterior = checkpoint.autoencoder.posterior(torch.from_numpy(IMAGES.reshape(70, -1)))
    q = MultivariateNormal(posterior.mean.double(), scale_tril=posterior.scale_tril.double())
    D = engine.card.latent_dim
    prior = MultivariateNormal(torch.zeros(D).double(), torch.eye(D).double())
    np.testing.assert_allclose(encoding.kl, kl_divergence(q, prior).numpy(), rtol=1e-3)


def test_a_covariance_is_that_of_samples_of_the_posterior(
    engine: Engine, checkpoint: Checkpoint
) -> None:
    covariance = engine.encode(IMAGES[:3]).covariance
    if not isinstance(checkpoint.autoencoder, VariationalAutoencoder):
        assert covariance is None
        return
    assert covariance is not None
    np.testing.assert_allclose(covariance, covariance.swapaxes(1, 2), rtol=1e-6)
    assert (np.linalg.eigvalsh(covariance) > 0).all()
    torch.manual_seed(0)
    with torch.no_grad():
        posterior = checkpoint.autoencoder.posterior(torch.from_numpy(IMAGES[:3].reshape(3, -1)))
        draws = [posterior.reparameterise(torch.randn_like(posterior.mean)) for _ in range(4000)]
    samples = torch.stack(draws, dim=1).double()
    for found, sample in zip(covariance, samples, strict=True):
        deviation = np.sqrt(np.diag(found))
        expected = torch.cov(sample.T).numpy() / np.outer(deviation, deviation)
        # In units of the standard deviations: five standard errors of 4,000 draws.
        np.testing.assert_allclose(
            found / np.outer(deviation, deviation), expected, atol=5 * (2 / 4000) ** 0.5
        )


def test_a_reconstruction_is_the_expected_likelihood_of_the_grey_image(
    engine: Engine, checkpoint: Checkpoint
) -> None:
    assert_expects_likelihood(engine, checkpoint)


@pytest.mark.parametrize(
    "name", ["small-gaussian", "small-continuous-bernoulli", "small-taught", "small-stacked"]
)
def test_other_kinds_have_the_expected_likelihood_of_their_own(relatives: Path, name: str) -> None:
    folder = relatives / name
    assert_expects_likelihood(Engine.load(folder, "cpu"), read_checkpoint(folder))


def assert_expects_likelihood(engine: Engine, checkpoint: Checkpoint) -> None:
    found = engine.encode(IMAGES[:4]).reconstruction
    image = torch.from_numpy(IMAGES[:4].reshape(4, -1))
    torch.manual_seed(1)
    autoencoder = checkpoint.autoencoder
    z = autoencoder.code(image).expand(400, 4, -1)
    if isinstance(autoencoder, VariationalAutoencoder):
        posterior = autoencoder.posterior(image)
        noise = torch.randn(z.shape)
        z = torch.stack([posterior.reparameterise(part) for part in noise])
    output = autoencoder.decode(z.flatten(0, 1)).reshape(400, 4, 784)
    samples = pixels.log_prob(engine.card.likelihood, autoencoder, image, output).numpy()
    margin = 5 * samples.std(0) / 32**0.5 + 0.01
    assert (np.abs(found - samples.mean(0)) < margin).all()


def test_an_image_is_encoded_the_same_whatever_its_company(engine: Engine) -> None:
    together = engine.encode(IMAGES)
    assert together.mean is not None
    for i in (0, 1, 2, 33, 69):
        alone = engine.encode(IMAGES[i : i + 1])
        assert alone.mean is not None
        np.testing.assert_array_equal(alone.mean[0], together.mean[i])
        if together.covariance is not None:
            assert alone.covariance is not None
            np.testing.assert_array_equal(alone.covariance[0], together.covariance[i])
        np.testing.assert_array_equal(alone.reconstruction[0], together.reconstruction[i])


def test_the_code_alone_is_that_of_the_encoding(engine: Engine) -> None:
    assert_codes_of(engine.encode(IMAGES), engine.code(IMAGES))


def test_pytorch_gives_the_code_alone_too(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_session, "onnxruntime", None)
    engine = Engine(checkpoint, "cpu")
    assert_codes_of(engine.encode(IMAGES[:20]), engine.code(IMAGES[:20]))


def assert_codes_of(encoding: Encoding, code: Code) -> None:
    assert type(code) is Code
    assert len(code) == len(encoding)
    np.testing.assert_array_equal(code.mean, encoding.mean)
    if encoding.covariance is None:
        assert code.covariance is None
    else:
        np.testing.assert_array_equal(code.covariance, encoding.covariance)


def test_more_images_than_fit_a_chunk_are_encoded_in_their_order(small: Engine) -> None:
    images = datasets.test_set("mnist").images[:600].astype(np.float32) / 255
    encoding = small.encode(images)
    assert encoding.mean is not None
    np.testing.assert_allclose(encoding.mean, small.codes[:600], rtol=1e-3, atol=1e-3)
    assert encoding.covariance is not None
    assert encoding.covariance.shape == (600, 2, 2)
    assert encoding.reconstruction_image.shape == (600, 28, 28)


def test_no_images_give_no_encodings(engine: Engine) -> None:
    encoding = engine.encode(np.empty((0, 28, 28), np.float32))
    assert encoding.mean is not None
    assert encoding.mean.shape == (0, engine.card.latent_dim)
    assert encoding.reconstruction_image.shape == (0, 28, 28)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.01, 1.01, 255.0])
def test_an_image_with_levels_out_of_range_is_refused(small: Engine, bad: float) -> None:
    images = IMAGES[:2].copy()
    images[1, 14, 14] = bad
    with pytest.raises(ImageError, match=r"outside 0 .* to 1"):
        small.encode(images)


@pytest.mark.parametrize("shape", [(28, 28), (1, 784), (1, 27, 28), (1, 1, 28, 28), ()])
def test_images_of_the_wrong_shape_are_refused_with_the_right_one(
    small: Engine, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ImageError, match=r"allowed is \(N, 28, 28\)"):
        small.encode(np.zeros(shape, np.float32))
