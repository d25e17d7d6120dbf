"""What an image costs, counted by hand."""

import pytest

from model.recipes.recipe import Recipe
from model.recipes.tables import Network
from model.vae.networks import build_decoder, build_encoder, multiply_adds
from tests.model.vae.test_networks import CONV, MLP, RECURRENT, RESIDUAL, WAVES


def conv(places: int, kernel: int, inputs: int, outputs: int) -> int:
    return places**2 * kernel**2 * inputs * outputs


ENCODERS = [
    (MLP, 784 * 16 + 16 * 12 + 12 * 3),
    (RESIDUAL, 784 * 16 + 3 * 2 * 16 * 16 + 16 * 3),
    (WAVES, 784 * 5 + (784 + 2 * 5) * 16 + 16 * 3),
    (CONV, conv(14, 3, 1, 4) + conv(7, 3, 4, 6) + 49 * 6 * 10 + 10 * 3),
    (RECURRENT, 28 * 3 * (28 * 8 + 8 * 8) + 8 * 3),
]
DECODERS = [
    (MLP, 3 * 16 + 16 * 12 + 12 * 784),
    # A transposed convolution multiplies each of its inputs, not its outputs, by the kernel.
    (CONV, 3 * 10 + 10 * 49 * 4 + conv(7, 4, 4, 6) + conv(14, 4, 6, 1)),
    (RECURRENT, 3 * 8 + 28 * 3 * (3 * 8 + 8 * 8) + 28 * 8 * 28),
]
"""Networks between 784 pixels and 3 numbers, with their multiply-adds for one image."""


@pytest.mark.parametrize(("network", "count"), ENCODERS, ids=lambda x: str(getattr(x, "kind", x)))
def test_the_multiply_adds_of_an_encoder_are_those_counted_by_hand(
    network: Network, count: int
) -> None:
    assert multiply_adds(build_encoder(network, outputs=3), 784) == count


@pytest.mark.parametrize(("network", "count"), DECODERS, ids=lambda x: str(getattr(x, "kind", x)))
def test_the_multiply_adds_of_a_decoder_are_those_counted_by_hand(
    network: Network, count: int
) -> None:
    assert multiply_adds(build_decoder(network, latent_dim=3), 3) == count


def test_the_decoder_of_the_default_model_is_small_enough_for_the_hot_path() -> None:
    recipe = Recipe.load("mnist-vae-2d")
    decoder = build_decoder(recipe.decoder, recipe.latent_dim)
    assert multiply_adds(decoder, recipe.latent_dim) <= 400_000
