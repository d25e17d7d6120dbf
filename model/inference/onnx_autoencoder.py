"""The networks of an autoencoder on ONNX Runtime, and the arithmetic between them in NumPy.

`model.inference.encoding` and `.decoding` have the same in PyTorch, which is the reference. See
docs/adr/0014.

Shapes: N images or latents, D latent dimensions, K points of a latent space for each image.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from model.inference import onnx_session
from model.inference.imported import ImportedDecoder, ImportedEncoder
from model.inference.onnx_graph import Graph, Port
from model.inference.onnx_networks import layer, log_prob_of, mean_of
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.likelihood import Likelihood
from model.vae.refinement import CELL, NOISE

Pixels = Float32[np.ndarray, "images pixels"]
LogProb = Callable[[Pixels, Float32[np.ndarray, "images points latent"]], np.ndarray]


def drawing(
    autoencoder: Autoencoder, latent_dim: int
) -> Callable[[Float32[np.ndarray, "n latent"]], UInt8[np.ndarray, "n ..."]]:
    """Return a function that draws the mean images of p(x|z), in grey levels."""
    if isinstance(autoencoder.decoder, ImportedDecoder):
        return autoencoder.decoder.draw
    graph = Graph(latents=latent_dim)
    output = layer(autoencoder.decoder, graph, "latents")
    mean = mean_of(autoencoder.likelihood, graph, output)
    level, black = graph.scalar(1 / 255), graph.constant(np.array(0, np.uint8))
    grey = graph("QuantizeLinear", mean, level, black)  # halves are rounded to even
    axes = autoencoder.image.axes
    port = Port(graph("Reshape", grey, graph.shape(-1, *axes)), axes, np.uint8)
    return onnx_session.Run(graph, port, keeps=True)


def likelihood(autoencoder: Autoencoder, latent_dim: int) -> LogProb:
    """Return a function of images and K latents of each: log p(x|z) in nats, (N, K)."""
    if isinstance(autoencoder.decoder, ImportedDecoder):
        return _foreign_likelihood(autoencoder.decoder, autoencoder.likelihood)
    numbers = autoencoder.image.numbers
    graph = Graph(images=numbers, latents=latent_dim)
    output = layer(autoencoder.decoder, graph, "latents")
    count = graph("Shape", "images", end=1)
    sizes = graph("Concat", count, graph.shape(-1, numbers), axis=0)
    output = graph("Reshape", output, sizes)
    found = log_prob_of(autoencoder.likelihood, graph, "images", output, numbers)
    run = onnx_session.Run(graph, Port(found, ("K",)))

    def log_prob(images: Pixels, z_NKD: np.ndarray) -> np.ndarray:
        return run(images, np.ascontiguousarray(z_NKD).reshape(-1, latent_dim))

    return log_prob


def encoder(autoencoder: Autoencoder) -> Callable[[Pixels], np.ndarray]:
    """Return the encoder's network as a function of images: (N, O) outputs."""
    if isinstance(autoencoder.encoder, ImportedEncoder):
        return autoencoder.encoder.outputs
    graph = Graph(images=autoencoder.image.numbers)
    return onnx_session.Run(graph, Port(layer(autoencoder.encoder, graph, "images"), ("O",)))


def _foreign_likelihood(decoder: ImportedDecoder, pixels: Likelihood) -> LogProb:
    @torch.inference_mode()
    def log_prob(images: Pixels, z_NKD: np.ndarray) -> np.ndarray:
        N, K, D = z_NKD.shape
        output_RP = torch.from_numpy(decoder.logits(z_NKD.reshape(-1, D)))
        repeated_RP = torch.from_numpy(images).repeat_interleave(K, dim=0)
        return np.asarray(pixels.log_prob(repeated_RP, output_RP).numpy().reshape(N, K))

    return log_prob


_below_diagonal = cache(partial(np.tril_indices, k=-1))


class Gaussians(NamedTuple):
    """q(z|x) = N(mean, L L') of each image, L lower triangular: `model.vae.posterior` in NumPy."""

    mean: Float32[np.ndarray, "images latent"]
    scale: Float32[np.ndarray, "images latent latent"]
    """L."""

    @classmethod
    def of(cls, vae: VariationalAutoencoder, output_NO: np.ndarray) -> Gaussians:
        """Read the posteriors from an encoder's output."""
        D = vae.latent_dim
        mean_ND, log_ND, below_NT = np.split(output_NO, (D, 2 * D), axis=1)
        scale_NDD = np.zeros((len(output_NO), D, D), np.float32)
        np.einsum("ndd->nd", scale_NDD)[:] = np.exp(log_ND if vae.correlated else log_ND / 2)
        if vae.correlated:
            rows, columns = _below_diagonal(D)
            scale_NDD[:, rows, columns] = below_NT
        return cls(mean_ND, scale_NDD)

    def points(self, noise_KD: np.ndarray) -> Float32[np.ndarray, "images points latent"]:
        """Return z = mean + L noise."""
        return np.asarray(self.mean[:, None] + noise_KD @ self.scale.swapaxes(1, 2))

    def refined(self, images: Pixels, log_prob: LogProb) -> Gaussians:
        """Return the posteriors after a round of `model.vae.refinement`."""
        noise_K2 = NOISE
        z_NK2 = self.points(noise_K2)
        joint_NK = log_prob(images, z_NK2) - 0.5 * np.square(z_NK2).sum(-1)
        weight_NK = np.exp(joint_NK - joint_NK.max(-1, keepdims=True))
        weight_NK /= weight_NK.sum(-1, keepdims=True)
        # One product per image: BLAS rounds a product of all rows by how many there are.
        shift_N2 = (weight_NK[:, None] @ noise_K2)[:, 0]
        offset_NK2 = noise_K2 - shift_N2[:, None]
        spread_N22 = (weight_NK[..., None] * offset_NK2).swapaxes(1, 2) @ offset_NK2
        spread_N22 += np.float32(CELL**2 / 12) * np.eye(2, dtype=np.float32)
        moved_N2 = self.mean + (self.scale @ shift_N2[..., None])[..., 0]
        return Gaussians(moved_N2, self.scale @ np.linalg.cholesky(spread_N22))

    def covariance(self) -> Float32[np.ndarray, "images latent latent"]:
        """Return L L'."""
        return np.asarray(self.scale @ self.scale.swapaxes(1, 2))

    def kl_to_prior(self) -> Float32[np.ndarray, "images latent"]:
        """Return KL(q(z|x) || N(0, I)) in nats, split over the latents."""
        squares_ND = np.square(self.scale).sum(-1) + np.square(self.mean)
        diagonal_ND = self.scale.diagonal(axis1=1, axis2=2)
        return np.asarray(0.5 * (squares_ND - 1) - np.log(diagonal_ND))
