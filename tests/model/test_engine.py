"""The engine over every shipped checkpoint and over two that were trained within these tests.

Second sources: the checkpoint's own networks one image at a time, Monte Carlo, closed forms.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, MultivariateNormal, kl_divergence

from model.autoencoder import VariationalAutoencoder
from model.checkpoint import Checkpoint, read_checkpoint
from model.data import datasets
from model.engine import Engine
from model.errors import CheckpointError, DeviceError, ImageError, LatentError

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(card.parent for card in (ROOT / "checkpoints").glob("*/card.json"))
IMAGES = datasets.test_set("mnist").images[:70].astype(np.float32) / 255


@pytest.fixture(
    scope="module", params=[*SHIPPED, "small-vae", "small-ae"], ids=lambda p: Path(p).name
)
def folder(request: pytest.FixtureRequest, trained: Path) -> Path:
    return trained / request.param if isinstance(request.param, str) else Path(request.param)


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return Engine.load(folder, "cpu")


@pytest.fixture(scope="module")
def checkpoint(folder: Path) -> Checkpoint:
    return read_checkpoint(folder)


@pytest.fixture(scope="module")
def small(trained: Path) -> Engine:
    return Engine.load(trained / "small-vae", "cpu")


@pytest.fixture(scope="module")
def plain(trained: Path) -> Engine:
    """A plain autoencoder."""
    return Engine.load(trained / "small-ae", "cpu")


def latents(count: int, dim: int) -> np.ndarray:
    dice = np.random.default_rng(count)
    return (2 * dice.standard_normal((count, dim))).astype(np.float32)


def test_an_engine_knows_its_codes_labels_and_planes(engine: Engine, folder: Path) -> None:
    shipped = datasets.test_set(engine.card.dataset)
    assert engine.card.id == folder.name
    assert engine.device == "cpu"
    assert engine.codes.shape == (10_000, engine.card.latent_dim)
    assert engine.codes.dtype == np.float32
    np.testing.assert_array_equal(engine.labels, shipped.labels)
    assert tuple(plane.id for plane in engine.planes) == engine.card.planes
    assert engine.planes[0].origin.shape == (engine.card.latent_dim,)


def test_a_decode_is_the_mean_image_of_the_decoder_in_grey_levels(
    engine: Engine, checkpoint: Checkpoint
) -> None:
    z = latents(5, engine.card.latent_dim)
    images = engine.decode(z)
    assert images.shape == (5, 28, 28)
    assert images.dtype == np.uint8
    decoder = checkpoint.autoencoder.decoder.double()
    levels = 255 * decoder(torch.from_numpy(z).double()).sigmoid().numpy().reshape(5, 28, 28)
    checkpoint.autoencoder.float()
    assert np.abs(images - levels).max() < 0.501


@pytest.mark.parametrize("sizes", [range(1, 71), [100, 255, 256, 257, 1000, 1024]], ids=str)
def test_a_latent_gives_the_same_bytes_in_whatever_batch_and_place(
    engine: Engine, sizes: range | list[int]
) -> None:
    crowd = latents(max(sizes), engine.card.latent_dim)
    z = engine.codes[:1]
    alone = engine.decode(z)[0]
    for size in sizes:
        place = size * 5 // 7
        batch = crowd[:size].copy()
        batch[place] = z
        np.testing.assert_array_equal(engine.decode(batch)[place], alone, err_msg=f"of {size}")


def test_every_latent_of_a_batch_gives_the_bytes_that_it_gives_alone(engine: Engine) -> None:
    batch = engine.codes[:200]
    together = engine.decode(batch)
    for i, z in enumerate(batch):
        np.testing.assert_array_equal(engine.decode(z[None])[0], together[i], err_msg=str(i))


def test_no_latents_give_no_images(engine: Engine) -> None:
    assert engine.decode(np.empty((0, engine.card.latent_dim), np.float32)).shape == (0, 28, 28)


def test_latents_at_the_limit_still_decode(small: Engine) -> None:
    assert small.decode(np.array([[8_000.0, -6_000.0]], np.float32)).shape == (1, 28, 28)


@pytest.mark.parametrize(
    "bad", [np.nan, np.inf, -np.inf, 1e5, -10_000.5, 1e300], ids=lambda value: f"{value:g}"
)
def test_a_latent_out_of_all_bounds_is_refused(small: Engine, bad: float) -> None:
    with pytest.raises(LatentError, match=r"latents.* finite .* 10000"):
        small.decode(np.array([[0.0, 0.0], [0.5, bad]]))
    with pytest.raises(LatentError, match=r"latents.* finite .* 10000"):
        small.interpolate(np.array([0.0, 0.0]), np.array([0.5, bad]), 5)


@pytest.mark.parametrize("shape", [(2,), (1, 3), (1, 1), (1, 2, 2), (0, 3), ()])
def test_latents_of_the_wrong_shape_are_refused_with_the_right_one(
    small: Engine, shape: tuple[int, ...]
) -> None:
    with pytest.raises(LatentError, match=r"small-vae takes \(N, 2\)"):
        small.decode(np.zeros(shape, np.float32))


def test_the_code_of_a_shipped_image_is_what_encoding_it_gives(engine: Engine) -> None:
    encoding = engine.encode(IMAGES)
    np.testing.assert_allclose(encoding.mean, engine.codes[:70], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(encoding.reconstruction_image, engine.decode(encoding.mean))


def test_the_elbo_of_an_image_adds_up(engine: Engine, checkpoint: Checkpoint) -> None:
    encoding = engine.encode(IMAGES)
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
    found = engine.encode(IMAGES[:4]).reconstruction
    image = torch.from_numpy(IMAGES[:4].reshape(4, -1))
    torch.manual_seed(1)
    autoencoder = checkpoint.autoencoder
    draws = []
    for _ in range(400):
        z = autoencoder.code(image)
        if isinstance(autoencoder, VariationalAutoencoder):
            posterior = autoencoder.posterior(image)
            z = posterior.reparameterise(torch.randn_like(posterior.mean))
        p = Bernoulli(logits=autoencoder.decode(z))
        white, black = (p.log_prob(torch.full((784,), x)) for x in (1.0, 0.0))  # type: ignore[no-untyped-call]
        draws.append((image * white + (1 - image) * black).sum(-1))
    samples = torch.stack(draws).numpy()
    margin = 5 * samples.std(0) / 32**0.5 + 0.01
    assert (np.abs(found - samples.mean(0)) < margin).all()


def test_an_image_is_encoded_the_same_whatever_its_company(engine: Engine) -> None:
    together = engine.encode(IMAGES)
    for i in (0, 33, 69):
        alone = engine.encode(IMAGES[i : i + 1])
        np.testing.assert_allclose(alone.mean[0], together.mean[i], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(alone.reconstruction[0], together.reconstruction[i], rtol=1e-4)


def test_more_images_than_fit_a_chunk_are_encoded_in_their_order(small: Engine) -> None:
    images = datasets.test_set("mnist").images[:600].astype(np.float32) / 255
    encoding = small.encode(images)
    np.testing.assert_allclose(encoding.mean, small.codes[:600], rtol=1e-3, atol=1e-3)
    assert encoding.covariance is not None
    assert encoding.covariance.shape == (600, 2, 2)
    assert encoding.reconstruction_image.shape == (600, 28, 28)


def test_no_images_give_no_encodings(engine: Engine) -> None:
    encoding = engine.encode(np.empty((0, 28, 28), np.float32))
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


def test_samples_come_again_with_their_seed(engine: Engine) -> None:
    once = engine.sample(50, seed=7, temperature=1.0)
    assert once.shape == (50, engine.card.latent_dim)
    assert once.dtype == np.float32
    np.testing.assert_array_equal(engine.sample(50, seed=7, temperature=1.0), once)
    np.testing.assert_array_equal(engine.sample(20, seed=7, temperature=1.0), once[:20])
    assert not np.array_equal(engine.sample(50, seed=8, temperature=1.0), once)


def test_samples_of_a_vae_are_pcg64_normals_times_the_temperature(small: Engine) -> None:
    normals = np.random.Generator(np.random.PCG64(3)).standard_normal((9, 2))
    np.testing.assert_allclose(small.sample(9, seed=3, temperature=1.0), normals, rtol=1e-6)
    np.testing.assert_allclose(small.sample(9, seed=3, temperature=0.5), normals / 2, rtol=1e-6)


def test_at_temperature_zero_all_samples_lie_at_the_centre(small: Engine, plain: Engine) -> None:
    assert not small.sample(3, seed=1, temperature=0.0).any()
    centre = plain.codes.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(plain.sample(3, seed=1, temperature=0.0), [centre] * 3, rtol=1e-5)


def test_samples_of_an_autoencoder_come_from_the_gaussian_fitted_to_its_codes(
    plain: Engine,
) -> None:
    samples = plain.sample(40_000, seed=1, temperature=1.0).astype(np.float64)
    codes = plain.codes.astype(np.float64)
    spread = codes.std(axis=0)
    assert np.abs((samples.mean(0) - codes.mean(0)) / spread).max() < 5 / 40_000**0.5
    ratio = (np.cov(samples.T) - np.cov(codes.T)) / np.outer(spread, spread)
    assert np.abs(ratio).max() < 5 * (2 / 40_000) ** 0.5


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_path_leads_from_one_latent_to_the_other(engine: Engine, path: str) -> None:
    start, end = engine.codes[3], engine.codes[4]
    walk = engine.interpolate(start, end, 11, path)  # type: ignore[arg-type]
    assert walk.latents.shape == (11, engine.card.latent_dim)
    np.testing.assert_allclose(walk.latents[[0, -1]], [start, end], rtol=1e-5, atol=1e-5)
    assert walk.step_lengths.shape == (10,)
    assert walk.metric == "euclidean"


def test_a_linear_path_passes_through_the_middle_and_a_spherical_one_does_not(
    small: Engine,
) -> None:
    start, end = np.array([2.0, 0.0], np.float32), np.array([0.0, 2.0], np.float32)
    assert small.interpolate(start, end, 3, "linear").latents[1].tolist() == [1, 1]
    middle = small.interpolate(start, end, 3, "spherical").latents[1]
    assert middle.tolist() == pytest.approx([2**0.5, 2**0.5])


@pytest.mark.parametrize("end", [[1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]]])
def test_a_path_to_a_latent_of_the_wrong_shape_is_refused(small: Engine, end: list[float]) -> None:
    with pytest.raises(LatentError, match="small-vae takes"):
        small.interpolate(np.zeros(2), np.array(end), 5)


def test_warming_up_changes_nothing_that_a_user_sees(small: Engine) -> None:
    before = small.decode(small.codes[:3])
    small.warm_up()
    np.testing.assert_array_equal(small.decode(small.codes[:3]), before)


def test_the_version_is_the_same_for_the_same_files_and_another_for_others(
    trained: Path, small: Engine, plain: Engine
) -> None:
    assert Engine.load(trained / "small-vae", "cpu").version == small.version
    assert plain.version != small.version


def test_one_thread_does_the_work(trained: Path) -> None:
    torch.set_num_threads(2)
    Engine.load(trained / "small-vae", "cpu")
    assert torch.get_num_threads() == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA GPU")
def test_a_device_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r'Device "cuda" is not on this machine\. It has: '):
        Engine.load(tmp_path, "cuda")


def test_a_damaged_checkpoint_does_not_load(trained: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(trained / "small-vae", tmp_path / "small-vae"))
    (folder / "atlas.npz").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"small-vae/atlas\.npz does not match"):
        Engine.load(folder, "cpu")
