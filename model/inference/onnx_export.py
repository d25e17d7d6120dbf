"""A model of ours as two ONNX files, which every framework reads, `python -m model import` too.

Shapes: N images or latents, D latent dimensions, O outputs of the encoder's network,
T entries below a diagonal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.errors import UndecodableError
from model.inference.imported import Terms, planes_of
from model.inference.onnx_graph import Graph, Port
from model.inference.onnx_networks import layer, mean_of
from model.vae.autoencoder import (
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.likelihood import Bernoulli


class Exported(NamedTuple):
    """Two ONNX files, and what their numbers mean."""

    encoder: bytes
    """image, N x C x H x W from 0 to 1 -> mean, N x D, and of a VAE log_variance, N x D."""
    decoder: bytes
    """latent, N x D -> logits of Bernoulli pixels or mean of others, N x C x H x W."""
    terms: Terms


def export(autoencoder: Autoencoder, latent_dim: int) -> Exported:
    """Write an autoencoder down as two files that hold all their weights.

    The encoder is the network alone: a decoder's corrections of its posterior are left out, and of
    a posterior with correlations the variances are given.

    Raises:
        UndecodableError: The model has a codebook instead of vectors.
    """
    if isinstance(autoencoder, VectorQuantisedAutoencoder):
        raise UndecodableError(
            "It has a codebook: its latents are a grid of entries, not a vector, so it is no pair "
            "of an encoder and a decoder of vectors. Export another model."
        )
    is_vae = isinstance(autoencoder, VariationalAutoencoder)
    is_bernoulli = isinstance(autoencoder.likelihood, Bernoulli)
    terms = Terms("logits" if is_bernoulli else "mean", "log-variance" if is_vae else "none")
    return Exported(_encoder(autoencoder, latent_dim), _decoder(autoencoder, latent_dim), terms)


def _decoder(autoencoder: Autoencoder, latent_dim: int) -> bytes:
    graph = Graph(whole=True, latent=latent_dim)
    pixels, name = layer(autoencoder.decoder, graph, "latent"), "logits"
    if not isinstance(autoencoder.likelihood, Bernoulli):
        pixels, name = mean_of(autoencoder.likelihood, graph, pixels), "mean"
    image = autoencoder.image
    rows = graph("Reshape", pixels, graph.shape(-1, image.height, image.width, image.channels))
    planes = graph("Transpose", rows, perm=[0, 3, 1, 2])
    return graph.to_bytes(Port(graph.named(planes, name), planes_of(image)))


def _encoder(autoencoder: Autoencoder, latent_dim: int) -> bytes:
    D = latent_dim
    image = autoencoder.image
    graph = Graph(whole=True, image=planes_of(image))
    rows = graph("Transpose", "image", perm=[0, 2, 3, 1])
    pixels = graph("Reshape", rows, graph.shape(-1, image.numbers))
    output = layer(autoencoder.encoder, graph, pixels)
    if not isinstance(autoencoder, VariationalAutoencoder):
        return graph.to_bytes(Port(graph.named(output, "mean"), (D,)))
    mean, log_variance = _columns(graph, output, 0, D), _columns(graph, output, D, 2 * D)
    if autoencoder.correlated:
        below = _columns(graph, output, 2 * D, 2 * D + D * (D - 1) // 2)
        log_variance = _log_variance(graph, log_variance, below, D)
    return graph.to_bytes(
        Port(graph.named(mean, "mean"), (D,)),
        Port(graph.named(log_variance, "log_variance"), (D,)),
    )


def _columns(graph: Graph, x: str, start: int, stop: int) -> str:
    return graph("Slice", x, graph.shape(start), graph.shape(stop), graph.shape(1))


def _log_variance(graph: Graph, log_diagonal: str, below: str, D: int) -> str:
    """Add log (L L')_ii: of each row of L, its diagonal entry squared and those before it."""
    rows, _ = np.tril_indices(D, k=-1)
    belongs_TD = np.zeros((len(rows), D), np.float32)
    belongs_TD[np.arange(len(rows)), rows] = 1
    diagonal = graph("Exp", log_diagonal)
    before = graph("MatMul", graph("Mul", below, below), graph.constant(belongs_TD))
    return graph("Log", graph("Add", graph("Mul", diagonal, diagonal), before))
