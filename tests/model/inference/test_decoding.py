"""ONNX Runtime in PyTorch's place: the same pictures, and whatever batch they came in."""

import numpy as np
import pytest
import torch

from model.checkpoint import Checkpoint
from model.engine import Engine
from model.inference import decoding, onnx_autoencoder, onnx_session


def both(checkpoint: Checkpoint) -> tuple[decoding.Renderer, decoding.Renderer]:
    autoencoder = checkpoint.autoencoder
    quick = onnx_autoencoder.drawing(autoencoder, checkpoint.card.latent_dim)
    return quick, decoding.torch_renderer(autoencoder, "cpu")


def test_on_a_processor_onnx_runtime_draws_where_it_is_installed(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_onnx() -> bool:
        made = decoding.renderer(checkpoint.autoencoder, checkpoint.card.latent_dim, "cpu")
        return isinstance(made, onnx_session.Run)

    assert onnx_session.name() == "onnx"
    assert of_onnx()
    monkeypatch.setattr(onnx_session, "onnxruntime", None)
    assert onnx_session.name() == "torch"
    assert not of_onnx()


def test_codes_are_drawn_within_a_grey_level_of_pytorch(
    engine: Engine, checkpoint: Checkpoint
) -> None:
    quick, reference = both(checkpoint)
    codes = engine.codes[::5]
    chunks = np.split(codes, range(64, len(codes), 64))
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


def test_no_latents_are_drawn_as_no_images(checkpoint: Checkpoint) -> None:
    empty = np.empty((0, checkpoint.card.latent_dim), np.float32)
    for draw in both(checkpoint):
        assert draw(empty).shape == (0, 28, 28)
