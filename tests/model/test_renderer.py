"""ONNX Runtime in PyTorch's place: the same pictures, and whatever batch they came in."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model import onnx_autoencoder, renderer, runtime
from model.checkpoint import Checkpoint, read_checkpoint
from model.engine import Engine


def both(checkpoint: Checkpoint) -> tuple[renderer.Renderer, renderer.Renderer]:
    autoencoder = checkpoint.autoencoder
    quick = onnx_autoencoder.drawing(autoencoder, checkpoint.card.latent_dim)
    return quick, renderer.torch_renderer(autoencoder, "cpu")


def test_on_a_processor_onnx_runtime_draws_where_it_is_installed(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen() -> str:
        made = renderer.renderer(checkpoint.autoencoder, checkpoint.card.latent_dim, "cpu")
        return made.__qualname__.partition(".")[0]

    assert (runtime.name(), chosen()) == ("onnx", "drawing")
    monkeypatch.setattr(runtime, "onnxruntime", None)
    assert (runtime.name(), chosen()) == ("torch", "torch_renderer")


def test_all_codes_are_drawn_within_a_grey_level_of_pytorch(engine: Engine, folder: Path) -> None:
    quick, reference = both(read_checkpoint(folder))
    chunks = np.split(engine.codes, range(64, len(engine.codes), 64))
    drawn = np.concatenate([quick(chunk) for chunk in chunks]).astype(int)
    expected = np.concatenate([reference(chunk) for chunk in chunks]).astype(int)
    assert np.abs(drawn - expected).max() <= 1
    assert (drawn != expected).mean() < 1e-3


def test_to_write_a_network_down_leaves_it_as_it_was(checkpoint: Checkpoint) -> None:
    autoencoder = checkpoint.autoencoder
    before = {name: value.clone() for name, value in autoencoder.state_dict().items()}
    onnx_autoencoder.drawing(autoencoder, checkpoint.card.latent_dim)
    assert not any(module.training for module in autoencoder.modules())
    for name, value in autoencoder.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_pass_in_place_draws_what_is_asked_and_no_more(checkpoint: Checkpoint) -> None:
    autoencoder, D = checkpoint.autoencoder, checkpoint.card.latent_dim
    eager = renderer.torch_renderer(autoencoder, "cpu")
    z, grey = torch.zeros(16, D), torch.zeros(16, 784, dtype=torch.uint8)

    def run() -> None:
        grey.copy_(renderer._grey(autoencoder, z))

    draw = renderer.in_place(z, run, grey, eager)
    codes = checkpoint.atlas.codes
    found = [draw(codes[count : 2 * count]) for count in (16, 3, 0, 1, 17, 16, 5)]
    for count, images in zip((16, 3, 0, 1, 17, 16, 5), found, strict=True):
        expected = eager(codes[count : 2 * count])
        assert images.shape == (count, 28, 28)
        assert np.abs(images.astype(int) - expected).max(initial=0) <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
def test_on_a_gpu_what_is_recorded_draws_as_pytorch_does(folder: Path) -> None:
    checkpoint = read_checkpoint(folder, "cuda:0")
    autoencoder, D = checkpoint.autoencoder, checkpoint.card.latent_dim
    eager = renderer.torch_renderer(autoencoder, "cuda:0")
    draw = renderer.recorded(autoencoder, D, "cuda:0", eager)
    codes = checkpoint.atlas.codes[:600]
    together = np.concatenate([draw(part) for part in np.split(codes, range(64, 600, 64))])
    assert np.abs(together.astype(int) - eager(codes)).max() <= 1
    for count in (1, 2, 7, 33, 64):
        assert (draw(codes[:count]) == together[:count]).all()
    assert draw(codes[:100]).shape == (100, 28, 28)


def test_where_nothing_can_be_recorded_pytorch_draws(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def cannot(*_: object) -> renderer.Renderer:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(renderer, "recorded", cannot)
    made = renderer.renderer(checkpoint.autoencoder, checkpoint.card.latent_dim, "cuda:0")
    assert made.__qualname__.startswith("torch_renderer")
    assert "without a CUDA graph" in caplog.text


def test_no_latents_are_drawn_as_no_images(checkpoint: Checkpoint) -> None:
    empty = np.empty((0, checkpoint.card.latent_dim), np.float32)
    for draw in both(checkpoint):
        assert draw(empty).shape == (0, 28, 28)
