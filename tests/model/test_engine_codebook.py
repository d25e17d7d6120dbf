"""The engine of a model whose latents are entries of a codebook, not vectors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli

from model.card import Card
from model.checkpoint import read_checkpoint
from model.data import datasets
from model.engine import Engine
from model.errors import ImageError, ModelError, UndecodableError
from model.vae.autoencoder import VectorQuantisedAutoencoder

IMAGES = datasets.test_set("mnist").images[:70].astype(np.float32) / 255
SHIPPED = [
    path.parent
    for path in sorted((Path(__file__).parents[2] / "checkpoints").glob("*/card.json"))
    if Card.load(path.parent).family == "vqvae"
]


@pytest.fixture(scope="module", params=[*SHIPPED, "small-vqvae"], ids=lambda p: Path(p).name)
def folder(request: pytest.FixtureRequest, relatives: Path) -> Path:
    return relatives / Path(request.param)


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return Engine.load(folder, "cpu")


def autoencoder(folder: Path) -> VectorQuantisedAutoencoder:
    found = read_checkpoint(folder).autoencoder
    assert isinstance(found, VectorQuantisedAutoencoder)
    return found


def test_an_image_is_encoded_as_7_by_7_entries_in_whatever_company(
    engine: Engine, folder: Path
) -> None:
    encoding = engine.encode(IMAGES)
    assert encoding.indices is not None
    assert encoding.indices.shape == (70, 7, 7)
    expected = autoencoder(folder).indices(torch.from_numpy(IMAGES.reshape(70, 784)))
    np.testing.assert_array_equal(encoding.indices.reshape(70, 49), expected.numpy())
    for i in (0, 33, 69):
        alone = engine.encode(IMAGES[i : i + 1])
        assert alone.indices is not None
        np.testing.assert_array_equal(alone.indices[0], encoding.indices[i])
        np.testing.assert_array_equal(
            alone.reconstruction_image[0], encoding.reconstruction_image[i]
        )


def test_what_only_vectors_and_posteriors_have_is_none(engine: Engine) -> None:
    encoding, code = engine.encode(IMAGES[:2]), engine.code(IMAGES[:2])
    np.testing.assert_array_equal(code.indices, encoding.indices)
    assert code.mean is code.covariance is None
    assert encoding.mean is encoding.covariance is None
    assert encoding.kl_per_dimension is encoding.kl is encoding.total is None


def test_a_reconstruction_is_drawn_from_the_entries_and_has_their_likelihood(
    engine: Engine, folder: Path
) -> None:
    encoding, vqvae = engine.encode(IMAGES), autoencoder(folder)
    assert encoding.indices is not None
    entries = vqvae.codebook_EC.numpy()[encoding.indices]  # image, row, column, dimension
    grid = torch.from_numpy(np.moveaxis(entries, 3, 1).reshape(70, -1).copy())
    p = Bernoulli(logits=vqvae.decoder(grid))
    levels = 255 * p.mean.numpy().reshape(70, 28, 28)
    assert np.abs(encoding.reconstruction_image - levels).max() < 0.501
    ink, none = (p.log_prob(torch.full((784,), x)).numpy() for x in (1.0, 0.0))  # type: ignore[no-untyped-call]
    grey = IMAGES.reshape(70, 784)
    expected = (grey * ink + (1 - grey) * none).sum(1)
    np.testing.assert_allclose(encoding.reconstruction, expected, rtol=1e-4)


def test_a_vector_is_refused_with_what_the_model_can_do_instead(engine: Engine) -> None:
    complaint = rf"{engine.card.id} are a grid of 7 x 7 .* encodes and reconstructs images"
    vector = np.zeros(49, np.float32)
    with pytest.raises(UndecodableError, match=complaint):
        engine.decode(vector[None])
    with pytest.raises(UndecodableError, match=complaint):
        engine.sample(3, seed=0)
    with pytest.raises(UndecodableError, match=complaint):
        engine.interpolate(vector, vector, 5)
    with pytest.raises(UndecodableError, match=complaint):
        engine.plane("latent")
    with pytest.raises(UndecodableError, match=complaint):
        engine.tile("latent", 0, 0, 0)
    assert issubclass(UndecodableError, ModelError)


def test_it_says_that_it_has_no_plane_and_no_vectors(
    engine: Engine, small: Engine, plain: Engine
) -> None:
    assert engine.planes == ()
    assert engine.card.planes == ()
    assert engine.codes.shape == (0, 49)
    assert not engine.decodes
    assert small.decodes
    assert plain.decodes


def test_it_warms_up_and_weighs_something(engine: Engine) -> None:
    engine.warm_up()
    assert engine.memory_bytes > 1000


def test_a_bad_image_is_refused_as_by_any_model(engine: Engine) -> None:
    with pytest.raises(ImageError, match=r"allowed is \(N, 28, 28\)"):
        engine.encode(np.zeros((28, 28), np.float32))
