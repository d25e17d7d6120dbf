"""Second sources: the same networks in NumPy, torch's own flop counter, published counts."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from model.networks import FourierFeatures, ResidualBlock, build_network, multiply_adds
from model.recipe import Network, Recipe

MLP = Network(kind="mlp", hidden=(16, 12), activation="relu")
RESIDUAL = Network(kind="residual", hidden=(16, 16, 16), activation="silu")
WAVES = Network(kind="mlp", hidden=(16,), fourier_features=5, fourier_scale=1.5)


def weights(network: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}


def linear(x: np.ndarray, layer: str, of: dict[str, np.ndarray]) -> np.ndarray:
    return np.asarray(x @ of[f"{layer}.weight"].T + of[f"{layer}.bias"])


def normed(x: np.ndarray, layer: str, of: dict[str, np.ndarray]) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return np.asarray(scaled * of[f"{layer}.weight"] + of[f"{layer}.bias"])


def silu(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / (1 + np.exp(-x)))


def assert_computes(network: nn.Module, x: torch.Tensor, expected: np.ndarray) -> None:
    with torch.no_grad():
        np.testing.assert_allclose(network(x).numpy(), expected, atol=1e-5, rtol=1e-5)


def test_an_mlp_is_linear_layers_with_the_activation_between_them() -> None:
    torch.manual_seed(0)
    network, x = build_network(MLP, inputs=7, outputs=3), torch.randn(5, 7)
    w = weights(network)
    h = np.maximum(linear(x.numpy(), "0", w), 0)
    h = np.maximum(linear(h, "2", w), 0)
    assert_computes(network, x, linear(h, "4", w))


def test_a_residual_network_adds_each_block_to_what_it_got() -> None:
    torch.manual_seed(0)
    network, x = build_network(RESIDUAL, inputs=7, outputs=3), torch.randn(5, 7)
    for parameter in network.parameters():  # else the norms start as plain ones and zeros
        nn.init.normal_(parameter)
    w = weights(network)
    h = linear(x.numpy(), "0", w)
    for block in ("1", "2", "3"):
        inner = silu(linear(normed(h, f"{block}.norm", w), f"{block}.widen", w))
        h = h + linear(inner, f"{block}.project", w)
    expected = linear(normed(h, "4", w), "5", w)
    assert_computes(network, x, expected)


def test_fourier_features_are_the_latents_and_their_waves() -> None:
    torch.manual_seed(0)
    waves = FourierFeatures(2, features=3, scale=1.5)
    z, frequencies = [0.3, -1.2], waves.frequencies.tolist()
    phases = [z[0] * frequencies[0][f] + z[1] * frequencies[1][f] for f in range(3)]
    expected = [*z, *map(math.cos, phases), *map(math.sin, phases)]
    assert waves(torch.tensor([z])).tolist()[0] == pytest.approx(expected, abs=1e-6)


def test_the_scale_of_fourier_features_is_the_spread_of_their_frequencies() -> None:
    torch.manual_seed(0)
    frequencies = FourierFeatures(2, features=5000, scale=1.5).frequencies
    assert frequencies.std().item() == pytest.approx(1.5, rel=0.05)


def test_frequencies_are_kept_but_not_trained() -> None:
    network = build_network(WAVES, inputs=2, outputs=3)
    assert "0.frequencies" in network.state_dict()
    assert "0.frequencies" not in dict(network.named_parameters())


def test_a_residual_block_that_projects_to_nothing_changes_nothing() -> None:
    block, h = ResidualBlock(4, "silu"), torch.randn(3, 4)
    nn.init.zeros_(block.project.weight)
    nn.init.zeros_(block.project.bias)
    assert torch.equal(block(h), h)


@pytest.mark.parametrize("network", [MLP, RESIDUAL, WAVES, replace(RESIDUAL, fourier_features=9)])
def test_multiply_adds_are_half_the_flops_that_torch_counts(network: Network) -> None:
    built = build_network(network, inputs=2, outputs=784)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        built(torch.zeros(1, 2))
    assert multiply_adds(built) == counter.get_total_flops() / 2


def test_the_networks_of_the_articles_have_their_652_824_parameters() -> None:
    recipe = Recipe.load("mnist-vae-20d")
    encoder = build_network(recipe.encoder, inputs=784, outputs=40)
    decoder = build_network(recipe.decoder, inputs=20, outputs=784)
    assert sum(p.numel() for net in (encoder, decoder) for p in net.parameters()) == 652_824


def test_the_decoder_of_the_default_model_is_small_enough_for_the_hot_path() -> None:
    recipe = Recipe.load("mnist-vae-2d")
    decoder = build_network(recipe.decoder, recipe.latent_dim, 784)
    assert multiply_adds(decoder) <= 400_000
