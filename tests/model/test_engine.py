"""The engine over the checkpoints that ship and over some that were trained within these tests.

Second sources: the checkpoint's own networks one image at a time, Monte Carlo, closed forms.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef

from model import engine as engine_module
from model.checkpoint import Checkpoint, read_checkpoint
from model.data import datasets
from model.engine import Engine
from model.errors import CheckpointError, DeviceError, LatentError
from model.inference import onnx_session
from tests.model import pixels


def latents(count: int, dim: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    return (2 * rng.standard_normal((count, dim))).astype(np.float32)


def test_an_engine_knows_its_codes_labels_and_planes(engine: Engine, folder: Path) -> None:
    shipped = datasets.test_set(engine.card.dataset)
    assert engine.card.id == folder.name
    assert engine.device == "cpu"
    assert engine.codes.shape == (10_000, engine.card.latent_dim)
    assert engine.codes.dtype == np.float32
    np.testing.assert_array_equal(engine.labels, shipped.labels)
    assert engine.planes[:1] == engine.atlas.planes
    assert (engine.planes[0].id,) == engine.card.planes
    assert engine.planes[0].origin.shape == (engine.card.latent_dim,)


def test_a_decode_is_the_mean_image_of_the_decoder_in_grey_levels(
    engine: Engine, checkpoint: Checkpoint
) -> None:
    assert_decodes_to_means(engine, checkpoint)


@pytest.mark.parametrize("name", ["small-gaussian", "small-continuous-bernoulli"])
def test_a_decode_is_the_mean_image_whatever_the_likelihood(relatives: Path, name: str) -> None:
    folder = relatives / name
    assert_decodes_to_means(Engine.load(folder, "cpu"), read_checkpoint(folder))


def assert_decodes_to_means(engine: Engine, checkpoint: Checkpoint) -> None:
    z, autoencoder = latents(5, engine.card.latent_dim), checkpoint.autoencoder
    images = engine.decode(z)
    assert images.shape == (5, 28, 28)
    assert images.dtype == np.uint8
    output = autoencoder.decoder.double()(torch.from_numpy(z).double())
    levels = 255 * pixels.mean(engine.card.likelihood, autoencoder, output).numpy()
    autoencoder.float()
    assert np.abs(images - levels.reshape(5, 28, 28)).max() < 0.501


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


def test_a_dead_number_of_a_sparse_code_stays_dead_in_samples(trained: Path) -> None:
    """Its variance is 0, so the Gaussian fitted to the codes is flat in that direction."""
    checkpoint = read_checkpoint(trained / "small-ae")
    dead = checkpoint.atlas.codes.copy()
    dead[:, 1] = 0
    flat = Engine(replace(checkpoint, atlas=replace(checkpoint.atlas, codes=dead)), "cpu")
    samples = flat.sample(500, seed=1, temperature=1.0)
    assert samples[:, 0].std() == pytest.approx(dead[:, 0].std(), rel=0.2)
    assert np.abs(samples[:, 1]).max() < 1e-3 * dead[:, 0].std()


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


def test_an_engine_weighs_its_weights_and_its_atlas(small: Engine, trained: Path) -> None:
    checkpoint = read_checkpoint(trained / "small-vae")
    numbers = {name: t.numel() for name, t in checkpoint.autoencoder.state_dict().items()}
    decoder = sum(count for name, count in numbers.items() if name.startswith("decoder."))
    # In ONNX Runtime an encoder is once, and a decoder twice beside PyTorch's.
    once = sum(numbers.values())
    assert small.memory_bytes == 4 * (once + 2 * decoder) + checkpoint.atlas.nbytes


def loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Engine, list[Callable[[], bool]]]:
    """An engine, and for each weight of PyTorch's encoder what tells whether its memory is free."""
    freed: list[Callable[[], bool]] = []

    def read(*arguments: Any) -> Checkpoint:
        checkpoint = read_checkpoint(*arguments)
        for weight in checkpoint.autoencoder.encoder.parameters():
            memory = StorageWeakRef(weight.untyped_storage())  # type: ignore[no-untyped-call]
            freed.append(memory.expired)
        return checkpoint

    monkeypatch.setattr(engine_module, "read_checkpoint", read)
    return Engine.load(folder, "cpu"), freed


def test_an_engine_frees_the_encoder_of_pytorch_where_onnx_runtime_encodes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, freed = loaded(folder, monkeypatch)
    assert freed
    assert all(is_free() for is_free in freed)
    with pytest.raises(AttributeError, match="'encoder'"):
        bare._autoencoder.code(torch.zeros(1, 784))


def test_an_engine_keeps_the_encoder_of_pytorch_where_that_encodes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_session, "onnxruntime", None)
    whole, freed = loaded(folder, monkeypatch)
    assert not any(is_free() for is_free in freed)
    checkpoint = read_checkpoint(folder)
    numbers = sum(t.numel() for t in checkpoint.autoencoder.state_dict().values())
    assert whole.memory_bytes == 4 * numbers + checkpoint.atlas.nbytes


def test_the_checkpoint_of_which_an_engine_is_made_stays_whole(trained: Path) -> None:
    checkpoint = read_checkpoint(trained / "small-vae")
    Engine(checkpoint, "cpu")
    assert checkpoint.autoencoder.code(torch.zeros(1, 784)).shape == (1, 2)


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
