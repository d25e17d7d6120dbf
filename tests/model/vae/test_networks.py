"""Second sources: the same networks in NumPy, and published counts."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from model.recipes.recipe import Recipe
from model.recipes.tables import Network
from model.vae.networks import (
    FourierFeatures,
    ResidualBlock,
    bound_norms,
    build_decoder,
    build_encoder,
)

MLP = Network(kind="mlp", hidden=(16, 12), activation="relu")
RESIDUAL = Network(kind="residual", hidden=(16, 16, 16), activation="silu")
WAVES = Network(kind="mlp", hidden=(16,), fourier_features=5, fourier_scale=1.5)
CONV = Network(kind="conv", hidden=(10,), channels=(4, 6))
GRID = Network(kind="conv", channels=(4, 6))
RECURRENT = Network(kind="recurrent", hidden=(8,))
DROPOUT = Network(kind="mlp", hidden=(200,), activation="relu", dropout=0.5)
KINDS = [MLP, RESIDUAL, WAVES, CONV, RECURRENT, DROPOUT]
each_kind = pytest.mark.parametrize("network", KINDS, ids=lambda n: f"{n.kind} {n.hidden}")


def weights(network: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}


def linear(x: np.ndarray, layer: str, of: dict[str, np.ndarray]) -> np.ndarray:
    return np.asarray(x @ of[f"{layer}.weight"].T + of[f"{layer}.bias"])


def normed(x: np.ndarray, layer: str, of: dict[str, np.ndarray]) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return np.asarray(scaled * of[f"{layer}.weight"] + of[f"{layer}.bias"])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def silu(x: np.ndarray) -> np.ndarray:
    return np.asarray(x * sigmoid(x))


def gru(x: np.ndarray, h: np.ndarray, of: dict[str, np.ndarray]) -> np.ndarray:
    """One step of Cho et al. 2014 with PyTorch's gates: reset, update, candidate."""
    x_r, x_z, x_n = np.split(x @ of["rows.weight_ih_l0"].T + of["rows.bias_ih_l0"], 3, axis=-1)
    h_r, h_z, h_n = np.split(h @ of["rows.weight_hh_l0"].T + of["rows.bias_hh_l0"], 3, axis=-1)
    update = sigmoid(x_z + h_z)
    candidate = np.tanh(x_n + sigmoid(x_r + h_r) * h_n)
    return np.asarray((1 - update) * candidate + update * h)


def assert_computes(network: nn.Module, x: torch.Tensor, expected: np.ndarray) -> None:
    with torch.no_grad():
        np.testing.assert_allclose(network(x).numpy(), expected, atol=1e-5, rtol=1e-5)


def convolution(x: np.ndarray, layer: str, of: dict[str, np.ndarray]) -> np.ndarray:
    """A kernel of 3 over every second place: each output sums what lies about its place."""
    B, _, H, W = x.shape
    framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((B, len(of[f"{layer}.bias"]), H // 2, W // 2))
    for i in range(H // 2):
        for j in range(W // 2):
            window = framed[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            out[:, :, i, j] = np.einsum("bcyx,ocyx->bo", window, of[f"{layer}.weight"])
    return np.asarray(out + of[f"{layer}.bias"][:, None, None])


def transposed(x: np.ndarray, layer: str, of: dict[str, np.ndarray]) -> np.ndarray:
    """A kernel of 4 at a stride of 2: each input draws a patch about its place."""
    B, _, H, W = x.shape
    framed = np.zeros((B, len(of[f"{layer}.bias"]), 2 * H + 2, 2 * W + 2))
    for i in range(H):
        for j in range(W):
            patch = np.einsum("bc,coyx->boyx", x[:, :, i, j], of[f"{layer}.weight"])
            framed[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += patch
    return np.asarray(framed[:, :, 1:-1, 1:-1] + of[f"{layer}.bias"][:, None, None])


def test_an_mlp_is_linear_layers_with_the_activation_between_them() -> None:
    torch.manual_seed(0)
    network, x = build_encoder(MLP, outputs=3), torch.randn(5, 784)
    w = weights(network)
    h = np.maximum(linear(x.numpy(), "0", w), 0)
    h = np.maximum(linear(h, "2", w), 0)
    assert_computes(network, x, linear(h, "4", w))


def test_a_residual_network_adds_each_block_to_what_it_got() -> None:
    torch.manual_seed(0)
    network, x = build_decoder(RESIDUAL, latent_dim=3), torch.randn(5, 3)
    for parameter in network.parameters():  # else the norms start as plain ones and zeros
        nn.init.normal_(parameter)
    w = weights(network)
    h = linear(x.numpy(), "0", w)
    for block in ("1", "2", "3"):
        inner = silu(linear(normed(h, f"{block}.norm", w), f"{block}.widen", w))
        h = h + linear(inner, f"{block}.project", w)
    expected = linear(normed(h, "4", w), "5", w)
    with torch.no_grad():
        np.testing.assert_allclose(network(x).numpy(), expected, rtol=1e-3, atol=1e-3)


def test_a_convolutional_encoder_halves_the_image_twice_before_its_linear_layers() -> None:
    torch.manual_seed(0)
    network, x = build_encoder(CONV, outputs=3), torch.rand(5, 784)
    w = weights(network)
    h = silu(convolution(x.numpy().reshape(5, 1, 28, 28), "1", w))
    h = silu(convolution(h, "3", w))
    h = silu(linear(h.reshape(5, -1), "6", w))
    assert_computes(network, x, linear(h, "8", w))


def test_a_convolutional_decoder_doubles_seven_by_seven_places_twice() -> None:
    torch.manual_seed(0)
    network, z = build_decoder(CONV, latent_dim=3), torch.randn(5, 3)
    w = weights(network)
    h = linear(silu(linear(z.numpy(), "0", w)), "2", w).reshape(5, 4, 7, 7)
    h = silu(transposed(silu(h), "5", w))
    assert_computes(network, z, transposed(h, "7", w).reshape(5, -1))


def test_a_recurrent_encoder_reads_the_rows_from_the_top_and_speaks_after_the_last() -> None:
    torch.manual_seed(0)
    network, x = build_encoder(RECURRENT, outputs=3), torch.rand(5, 784)
    w, h = weights(network), np.zeros((5, 8))
    for row in range(28):
        h = gru(x[:, 28 * row : 28 * (row + 1)].numpy(), h, w)
    assert_computes(network, x, linear(h, "head", w))


def test_a_recurrent_decoder_writes_the_rows_from_the_top_and_reads_the_code_at_each() -> None:
    torch.manual_seed(0)
    network, z = build_decoder(RECURRENT, latent_dim=2), torch.randn(5, 2)
    w, rows = weights(network), []
    h = np.tanh(linear(z.numpy(), "opening", w))
    for _ in range(28):
        h = gru(z.numpy(), h, w)
        rows.append(linear(h, "head", w))
    assert_computes(network, z, np.concatenate(rows, axis=1))


@each_kind
def test_a_network_leads_from_an_image_to_numbers_and_from_numbers_to_an_image(
    network: Network,
) -> None:
    mirror = Network(kind="conv", hidden=(10,), channels=(6, 4)) if network is CONV else network
    image = torch.rand(5, 784)
    code = build_encoder(network, outputs=3)(image)
    assert code.shape == (5, 3)
    assert build_decoder(mirror, latent_dim=3)(code).shape == image.shape


def reach(network: nn.Module, cell: int) -> tuple[list[int], list[int]]:
    """Rows and columns of the image that have a say in one of 7 x 7 places."""
    image = torch.rand(1, 784, requires_grad=True)
    network(image).reshape(-1, 49)[:, cell].sum().backward()
    assert image.grad is not None
    seen = image.grad.reshape(28, 28) != 0
    return (torch.nonzero(seen.any(dim)).flatten().tolist() for dim in (1, 0))  # type: ignore[return-value]


def test_a_convolutional_encoder_without_hidden_layers_speaks_of_49_places_each_by_itself() -> None:
    torch.manual_seed(0)
    network = build_encoder(GRID, outputs=49 * 3)
    assert network(torch.rand(5, 784)).shape == (5, 147)
    for cell, row, column in ((0, 0, 0), (17, 2, 3), (48, 6, 6)):
        for seen, place in zip(reach(network, cell), (row, column), strict=True):
            first, last = 4 * place - 3, 4 * place + 3  # two strides of 2 with kernels of 3
            assert set(seen) <= set(range(max(first, 0), min(last, 27) + 1))
            assert {4 * place, 4 * place + 1} <= set(seen)


def test_a_convolutional_decoder_without_hidden_layers_draws_49_places_each_by_itself() -> None:
    torch.manual_seed(0)
    network = build_decoder(GRID, latent_dim=49 * 3)
    z = torch.randn(1, 147)
    other = z.clone().reshape(1, 3, 49)
    other[:, :, 24] += 5  # the place in the middle
    with torch.no_grad():
        difference = (network(z) - network(other.flatten(1))).reshape(28, 28).abs()
    assert difference[12:16, 12:16].min() > 0
    # A kernel of 3 at 7 x 7, then twice a kernel of 4 at a stride of 2: rows and columns 5 to 22.
    unmoved = (difference[:5], difference[23:], difference[:, :5], difference[:, 23:])
    assert [part.max().item() for part in unmoved] == [0, 0, 0, 0]


@each_kind
def test_outside_of_training_a_network_answers_the_same_again(network: Network) -> None:
    built, image = build_encoder(network, outputs=3).eval(), torch.rand(5, 784)
    assert torch.equal(built(image), built(image))


def test_dropout_switches_half_of_the_hidden_units_off_while_training() -> None:
    torch.manual_seed(0)
    network, image = build_encoder(DROPOUT, outputs=3), torch.rand(400, 784)
    assert isinstance(network, nn.Sequential)
    before, after = network[:2](image), network[:3](image)
    alive = before > 0
    assert (after[alive] == 0).float().mean().item() == pytest.approx(0.5, abs=0.02)
    kept = alive & (after > 0)
    torch.testing.assert_close(after[kept], 2 * before[kept])
    network.eval()
    torch.testing.assert_close(network[:3](image), before)


def test_a_network_that_ends_in_relu_gives_codes_that_can_be_0_and_never_less() -> None:
    torch.manual_seed(0)
    network = build_encoder(Network(kind="mlp", hidden=(16,), output="relu"), outputs=20)
    code = network(torch.rand(50, 784))
    assert code.min() == 0
    assert code.max() > 0


def test_bounding_shortens_the_incoming_weights_of_hidden_units_and_no_others() -> None:
    torch.manual_seed(0)
    network = build_encoder(MLP, outputs=3)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    before["0.weight"][0] *= 0.01  # one unit within the bound
    network.load_state_dict(before)
    bound_norms(network, 2.0)
    after = network.state_dict()
    for name, tensor in after.items():
        if name not in ("0.weight", "2.weight"):
            assert torch.equal(tensor, before[name]), name
            continue
        for old, new in zip(before[name].tolist(), tensor.tolist(), strict=True):
            norm = math.sqrt(math.fsum(entry**2 for entry in old))
            expected = [entry * min(1, 2.0 / norm) for entry in old]
            assert new == pytest.approx(expected, rel=1e-5, abs=1e-7)


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
    network = build_decoder(WAVES, latent_dim=2)
    assert "0.frequencies" in network.state_dict()
    assert "0.frequencies" not in dict(network.named_parameters())


def test_a_residual_block_that_projects_to_nothing_changes_nothing() -> None:
    block, h = ResidualBlock(4, "silu"), torch.randn(3, 4)
    nn.init.zeros_(block.project.weight)
    nn.init.zeros_(block.project.bias)
    assert torch.equal(block(h), h)


def test_the_networks_of_the_articles_have_their_652_824_parameters() -> None:
    recipe = Recipe.load("mnist-vae-20d")
    networks = build_encoder(recipe.encoder, outputs=40), build_decoder(recipe.decoder, 20)
    assert sum(p.numel() for network in networks for p in network.parameters()) == 652_824
