"""Two ONNX files as an autoencoder, held against the networks that PyTorch wrote them from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from model.data.datasets import LabelledImages
from model.engine import test_set as shipped
from model.errors import NetworkError
from model.image_shape import MNIST_SHAPE, ImageShape
from model.inference.decoding import renderer
from model.inference.encoding import Encoder
from model.inference.imported import Imported, Terms, load
from model.vae.autoencoder import VariationalAutoencoder
from tests.model import foreign
from tests.model.foreign import IMAGE, decoder_file, encoder_file, exported, file_of, node

GREY = MNIST_SHAPE
VAE = Terms("mean", "log-variance")


@pytest.fixture(scope="module")
def images() -> LabelledImages:
    return shipped("mnist")


def pixels(images: LabelledImages, count: int) -> Tensor:
    return torch.from_numpy(images.images[:count].astype(np.float32) / 255)[:, None]


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_a_latent_is_drawn_as_pytorch_decodes_it(dimensions: int) -> None:
    found = load(encoder_file(dimensions), decoder_file(dimensions), GREY, VAE)
    assert found.latent_dim == max(2, dimensions)
    z_ND = 3 * torch.randn(100, found.latent_dim)
    expected = 255 * foreign.decoder(dimensions)(z_ND[:, :dimensions]).squeeze(1).numpy()
    drawn = renderer(found.autoencoder, found.latent_dim, "cpu")(z_ND.numpy())
    assert drawn.shape == (100, 28, 28)
    assert np.abs(drawn - expected).max() <= 0.5 + 1e-2


@pytest.mark.parametrize("shape", [(32, 32, 3), (48, 64, 3), (10, 8, 1)])
def test_images_of_any_shape_are_read_and_drawn_in_the_right_order(
    shape: tuple[int, int, int],
) -> None:
    image = ImageShape(*shape)
    found = load(encoder_file(3, image), decoder_file(3, image), image, VAE)
    assert found.autoencoder.image == image
    z_ND = 3 * torch.randn(20, 3)
    expected_NHWC = 255 * foreign.decoder(3, image=image)(z_ND).permute(0, 2, 3, 1).numpy()
    drawn = renderer(found.autoencoder, 3, "cpu")(z_ND.numpy())
    assert drawn.shape == (20, *image.axes)
    assert np.abs(drawn.reshape(expected_NHWC.shape) - expected_NHWC).max() <= 0.5 + 1e-2
    image_NHWC = torch.rand(20, image.height, image.width, image.channels)
    mean_ND, _ = foreign.encoder(3, image=image)(image_NHWC.permute(0, 3, 1, 2))
    code = _encoder(found).code(image_NHWC.reshape(20, *image.axes).numpy())
    assert code.mean is not None
    np.testing.assert_allclose(code.mean, mean_ND, atol=1e-5)


def test_logits_are_drawn_as_means_and_compared_as_logits() -> None:
    network = foreign.decoder(logits=True)
    file = exported(network, torch.zeros(1, 2), "image")
    found = load(encoder_file(), file, GREY, Terms("logits", "log-variance"))
    z_ND = 3 * torch.randn(50, 2)
    logits_NP = network(z_ND).flatten(1)
    assert torch.allclose(found.autoencoder.decode(z_ND), logits_NP, atol=1e-4)
    drawn = renderer(found.autoencoder, 2, "cpu")(z_ND.numpy()).reshape(50, -1)
    assert np.abs(drawn - 255 * logits_NP.sigmoid().numpy()).max() <= 0.5 + 1e-2


@pytest.mark.parametrize(
    ("variance", "spread", "log"),
    [
        ("log-variance", torch.tanh, lambda found: found),
        ("variance", torch.exp, torch.log),
        ("standard-deviation", torch.exp, lambda found: 2 * found.log()),
    ],
)
def test_a_spread_means_what_the_terms_say(
    variance: str,
    spread: Callable[[Tensor], Tensor],
    log: Callable[[Tensor], Tensor],
    images: LabelledImages,
) -> None:
    network = foreign.encoder(3, spread)
    file = exported(network, IMAGE, "mean", "spread")
    found = load(file, decoder_file(3), GREY, Terms("mean", variance))
    image_NCHW = pixels(images, 40)
    mean_ND, spread_ND = network(image_NCHW)
    encoding = _encoder(found).encode(image_NCHW[:, 0].numpy())
    assert encoding.mean is not None
    assert encoding.covariance is not None
    np.testing.assert_allclose(encoding.mean, mean_ND, atol=1e-5)
    expected_NDD = torch.diag_embed(log(spread_ND).exp())
    np.testing.assert_allclose(encoding.covariance, expected_NDD, rtol=1e-4, atol=1e-6)


def test_the_elbo_is_that_of_bernoulli_pixels_with_the_decoders_means(
    images: LabelledImages,
) -> None:
    found = load(encoder_file(), decoder_file(), GREY, VAE)
    image_NCHW = pixels(images, 8)
    encoding = _encoder(found).encode(image_NCHW[:, 0].numpy())
    mean_ND, log_variance_ND = foreign.encoder()(image_NCHW)
    rng = torch.Generator().manual_seed(5)
    z_KND = mean_ND + (log_variance_ND / 2).exp() * torch.randn(400, 8, 2, generator=rng)
    p_RP = foreign.decoder()(z_KND.flatten(0, 1)).flatten(1).double()
    x_RP = image_NCHW.flatten(1).double().repeat(400, 1)
    log_prob_N = (x_RP * p_RP.log() + (1 - x_RP) * (1 - p_RP).log()).sum(1).view(400, 8).mean(0)
    assert np.abs(encoding.reconstruction / log_prob_N.numpy() - 1).max() < 0.02
    posterior = torch.distributions.Normal(mean_ND, (log_variance_ND / 2).exp())
    prior = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    kl_ND = torch.distributions.kl_divergence(posterior, prior)
    assert encoding.kl_per_dimension is not None
    np.testing.assert_allclose(encoding.kl_per_dimension, kl_ND, rtol=1e-3, atol=1e-4)


def test_a_latent_of_one_number_gets_a_second_that_is_the_prior(images: LabelledImages) -> None:
    found = load(encoder_file(1), decoder_file(1), GREY, VAE)
    encoding = _encoder(found).encode(pixels(images, 4)[:, 0].numpy())
    assert encoding.mean is not None
    assert encoding.kl_per_dimension is not None
    assert not encoding.mean[:, 1].any()
    assert not encoding.kl_per_dimension[:, 1].any()
    assert encoding.kl_per_dimension[:, 0].all()


def test_an_autoencoder_has_a_code_and_no_posterior(images: LabelledImages) -> None:
    file = exported(foreign.encoder(2, None), IMAGE, "mean")
    found = load(file, decoder_file(), GREY, Terms("mean", "none"))
    assert not isinstance(found.autoencoder, VariationalAutoencoder)
    encoding = _encoder(found).encode(pixels(images, 4)[:, 0].numpy())
    assert encoding.covariance is None
    assert encoding.mean is not None
    np.testing.assert_allclose(
        encoding.mean, foreign.encoder(2, None)(pixels(images, 4)), atol=1e-5
    )


def test_a_spread_may_be_left_out() -> None:
    found = load(encoder_file(), decoder_file(), GREY, Terms("mean", "none"))
    assert not isinstance(found.autoencoder, VariationalAutoencoder)


def test_the_decoder_is_differentiated_as_autograd_does() -> None:
    network = foreign.decoder(3, logits=True)
    file = exported(network, torch.zeros(1, 3), "image")
    found = load(encoder_file(3), file, GREY, Terms("logits", "log-variance"))
    z_ND = torch.randn(7, 3, requires_grad=True)
    weight_NP = torch.randn(7, 784)
    exact = torch.autograd.grad((weight_NP * network(z_ND).flatten(1)).sum(), z_ND)[0]
    mine = torch.autograd.grad((weight_NP * found.autoencoder.decode(z_ND)).sum(), z_ND)[0]
    assert torch.allclose(mine, exact, rtol=1e-2, atol=0.02 * exact.abs().max().item())


def test_no_latents_give_no_images() -> None:
    found = load(encoder_file(), decoder_file(), GREY, VAE)
    assert found.decoder.draw(np.zeros((0, 2), np.float32)).shape == (0, 28, 28)


def refused(encoder: bytes, decoder: bytes, terms: Terms = VAE) -> str:
    with pytest.raises(NetworkError) as raised:
        load(encoder, decoder, GREY, terms, ("enc.onnx", "dec.onnx"))
    return str(raised.value)


def test_images_of_another_size_are_refused() -> None:
    wide = file_of([node("Flatten", "input", "output")], latents=("N", 3, 32, 32))
    message = refused(wide.SerializeToString(), decoder_file())
    assert "enc.onnx takes N x 3 x 32 x 32; the images are N x 1 x 28 x 28" in message


@pytest.mark.parametrize("sizes", [(513,), (4, 7, 7)])
def test_latents_that_are_no_vectors_or_too_long_are_refused(sizes: tuple[int, ...]) -> None:
    grid = file_of([node("Flatten", "input", "output")], latents=("N", *sizes))
    message = refused(encoder_file(), grid.SerializeToString())
    assert f"dec.onnx takes N x {' x '.join(map(str, sizes))}; it must take latents" in message


def test_an_encoder_and_a_decoder_of_other_dimensions_do_not_go_together() -> None:
    assert "enc.onnx gives N x 3 for each row; it must give N x 2" in refused(
        encoder_file(3), decoder_file(2)
    )


def test_flat_images_are_refused() -> None:
    flat = file_of([node("MatMul", "input w", "output")], constants={"w": np.ones((2, 784), "f")})
    assert "dec.onnx gives N x 784 for each row; it must give N x 1 x 28 x 28" in refused(
        encoder_file(), flat.SerializeToString()
    )


def test_a_spread_that_is_not_there_is_refused() -> None:
    file = exported(foreign.encoder(2, None), IMAGE, "mean")
    assert "enc.onnx has one output, a mean; its spread cannot be a log-variance" in refused(
        file, decoder_file()
    )


def test_a_decoder_of_two_outputs_is_refused() -> None:
    made = file_of([node("Relu", "input", "output"), node("Neg", "input", "again")])
    made.graph.output.append(
        onnx.helper.make_tensor_value_info("again", onnx.TensorProto.FLOAT, None)
    )
    assert "dec.onnx has 2 outputs" in refused(encoder_file(), made.SerializeToString())


def _encoder(found: Imported) -> Encoder:
    draw = renderer(found.autoencoder, found.latent_dim, "cpu")
    return Encoder(found.autoencoder, found.latent_dim, draw)
