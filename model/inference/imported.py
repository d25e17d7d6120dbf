"""Networks from elsewhere, two ONNX files, in the places of an encoder's and a decoder's modules.

They run on ONNX Runtime. The autoencoder around them is like any other. See docs/adr/0022.

Shapes: B batch, N images or latents, P pixels, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn

from model.errors import NetworkError
from model.image_shape import ImageShape
from model.inference.onnx_file import Signature, inspect
from model.inference.onnx_graph import Graph, Port
from model.inference.onnx_session import ForeignRun, Run, name
from model.inference.onnx_trial import Tried, tried
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder

OUTPUTS = ("mean", "logits")
VARIANCES = ("log-variance", "standard-deviation", "variance", "none")
MOST_LATENTS = 512
"""Dimensions of a latent."""
FEWEST_LATENTS = 2
"""A map needs two. A latent of one number gets a second that the decoder does not see."""
DARKEST = 1e-6
"""Least probability of ink or paper that a mean is taken for; its logit is about 14."""
LARGEST_LOG_VARIANCE = 30.0
"""And the least is minus it."""
STEP = 2e-3
"""Latent units to either side, for a derivative; as those of `model.geometry.fields`."""

ENCODER, DECODER = "encoder.onnx", "decoder.onnx"


@dataclass(frozen=True)
class Terms:
    """What the numbers that two networks give mean, which no file says."""

    output: str
    """What the decoder gives for a pixel: one of `OUTPUTS`."""
    variance: str
    """What the encoder gives beside the mean: one of `VARIANCES`."""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_dict(cls, table: Any) -> Terms:
        """Read back what `as_dict` returned; raise NetworkError."""
        if isinstance(table, Mapping) and table.keys() == {"output", "variance"}:
            terms = cls(**table)
            if terms.output in OUTPUTS and terms.variance in VARIANCES:
                return terms
        raise NetworkError(
            f"The card says of its networks {table!r}; they have an output of "
            f"{', '.join(OUTPUTS)} and a variance of {', '.join(VARIANCES)}. Import the model "
            "again."
        )


class Imported(NamedTuple):
    """An autoencoder of two networks from elsewhere."""

    autoencoder: Autoencoder
    encoder: ImportedEncoder
    decoder: ImportedDecoder
    latent_dim: int


def load(
    encoder: bytes,
    decoder: bytes,
    image: ImageShape,
    terms: Terms,
    names: tuple[str, str] = (ENCODER, DECODER),
) -> Imported:
    """Look at two networks, try them in a process of its own, and return them as an autoencoder.

    Args:
        encoder: An ONNX file: N x C x H x W from 0 to 1 -> mean, N x D, and perhaps a spread.
        decoder: An ONNX file: N x D -> N x C x H x W.
        image: Shape of the images that they must be of.
        terms: What their numbers mean.
        names: What errors call the two.

    Raises:
        NetworkError: A file is no such network, or may not be run; the message names it.
    """
    if name() != "onnx":
        raise NetworkError(
            f"{names[0]} runs on ONNX Runtime, which is not installed: "
            "`pip install --group onnx`, or `make setup`."
        )
    encodes, decodes = inspect(encoder, names[0]), inspect(decoder, names[1])
    wanted = 1 if terms.variance == "none" else 2
    D = _latent_dim(encodes, decodes, image, names)
    if len(encodes.outputs) < wanted:
        raise NetworkError(
            f"{names[0]} has one output, a mean; its spread cannot be a {terms.variance}. "
            "Export the spread as a second output, or import with --variance none."
        )
    encodes = encodes._replace(outputs=encodes.outputs[:wanted])
    decodes = decodes._replace(outputs=decodes.outputs[:1])
    found = tried({names[0]: (encoder, encodes), names[1]: (decoder, decodes)})
    for which, shape in zip(names, ((D,), planes_of(image)), strict=True):
        _require_shapes(which, found[which], shape)
    first = ImportedEncoder(ForeignRun(encoder, encodes), image, terms.variance, len(encoder))
    second = ImportedDecoder(ForeignRun(decoder, decodes), D, image, terms.output, len(decoder))
    latent_dim = max(D, FEWEST_LATENTS)
    made = Autoencoder(first, second, image=image)
    if wanted == 2:
        made = VariationalAutoencoder(first, second, latent_dim, correlated=False, image=image)
    return Imported(made.requires_grad_(False).eval(), first, second, latent_dim)


class ImportedEncoder(nn.Module):
    """Image -> mean, and for a VAE the logarithm of the variance, by ONNX Runtime.

    Args:
        run: The network.
        image: Shape of the images.
        variance: What its second output is.
        nbytes: Size of its file.
    """

    def __init__(self, run: ForeignRun, image: ImageShape, variance: str, nbytes: int) -> None:
        super().__init__()
        self._run, self._image, self._variance, self.nbytes = run, image, variance, nbytes

    def forward(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch outputs"]:
        return torch.from_numpy(self.outputs(image_BP.numpy()))

    def outputs(
        self, images: Float32[np.ndarray, "images pixels"]
    ) -> Float32[np.ndarray, "images outputs"]:
        """Return `forward` of arrays."""
        mean_ND, *spread = self.raw(images)
        parts = [np.nan_to_num(_padded(mean_ND))]  # what is not finite could not be sent
        if spread:
            log_variance_ND = np.nan_to_num(_padded(self._log_variance(spread[0])))
            parts.append(log_variance_ND.clip(-LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE))
        return np.concatenate(parts, axis=1)

    def raw(self, images: Float32[np.ndarray, "images pixels"]) -> list[np.ndarray]:
        """Return what the network gives, as it is."""
        channels, height, width = planes_of(self._image)
        image_NHWC = images.reshape(len(images), height, width, channels)
        return self._run(np.ascontiguousarray(image_NHWC.transpose(0, 3, 1, 2)))

    def _log_variance(self, spread_ND: np.ndarray) -> np.ndarray:
        if self._variance == "log-variance":
            return spread_ND
        log_ND = np.log(np.maximum(spread_ND, np.finfo(np.float32).tiny))
        return np.asarray(2 * log_ND if self._variance == "standard-deviation" else log_ND)


class ImportedDecoder(nn.Module):
    """Latent -> the logits of an image, by ONNX Runtime; differentiable by differences.

    Args:
        run: The network.
        dimensions: Of the latents that it takes.
        image: Shape of the images.
        output: What it gives for a pixel.
        nbytes: Size of its file.
    """

    def __init__(
        self, run: ForeignRun, dimensions: int, image: ImageShape, output: str, nbytes: int
    ) -> None:
        super().__init__()
        self._run, self._dimensions, self._image = run, dimensions, image
        self._output, self.nbytes = output, nbytes
        self._levels = _levels(image, output)

    def forward(self, z_BD: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        if z_BD.requires_grad:
            logits_BP: Tensor = _ByDifferences.apply(z_BD, self)  # type: ignore[no-untyped-call]
            return logits_BP
        return torch.from_numpy(self.logits(z_BD.numpy()))

    def logits(self, latents: Float32[np.ndarray, "n latent"]) -> Float32[np.ndarray, "n pixels"]:
        """Return `forward` of arrays."""
        found_NP: np.ndarray = np.nan_to_num(self.raw(latents))
        if self._output == "logits":
            return found_NP
        mean_NP = found_NP.clip(DARKEST, 1 - DARKEST)
        return np.asarray(np.log(mean_NP) - np.log1p(-mean_NP))

    def draw(self, latents: Float32[np.ndarray, "n latent"]) -> UInt8[np.ndarray, "n ..."]:
        """Return the mean images of latents, in levels from 0 to 255."""
        return self._levels(self.raw(latents))

    def raw(self, latents: Float32[np.ndarray, "n latent"]) -> Float32[np.ndarray, "n pixels"]:
        """Return what the network gives, as it is."""
        seen_ND = np.ascontiguousarray(latents[:, : self._dimensions], np.float32)
        (image_NCHW,) = self._run(seen_ND)
        row_NP = image_NCHW.transpose(0, 2, 3, 1).reshape(len(seen_ND), self._image.numbers)
        return np.asarray(row_NP)


def _levels(image: ImageShape, output: str) -> Run:
    """Return what rounds a decoder's numbers to levels from 0 to 255; NumPy takes twice as long."""
    graph = Graph(pixels=image.numbers)
    if output == "logits":
        mean = graph("Sigmoid", "pixels")
    else:
        mean = graph("Clip", "pixels", graph.scalar(0), graph.scalar(1))
    black = graph.constant(np.array(0, np.uint8))
    level = graph("QuantizeLinear", mean, graph.scalar(1 / 255), black)
    images = graph("Reshape", level, graph.shape(-1, *image.axes))
    return Run(graph, Port(images, image.axes, np.uint8))


class _ByDifferences(torch.autograd.Function):
    """The logits of latents, with a slope taken by central differences: 2 D decodes a latent."""

    @staticmethod
    def forward(context: Any, z_BD: Tensor, decoder: ImportedDecoder) -> Tensor:
        context.save_for_backward(z_BD)
        context.decoder = decoder
        return torch.from_numpy(decoder.logits(z_BD.detach().numpy()))

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        (z_BD,), (slope_BP,) = context.saved_tensors, slopes
        eye_DD = torch.eye(z_BD.shape[1])
        move_2D1D = STEP * torch.stack([eye_DD, -eye_DD])[:, :, None]
        around_RD = (z_BD + move_2D1D).flatten(0, 2)
        logits_2DBP = context.decoder(around_RD).view(2, z_BD.shape[1], *slope_BP.shape)
        change_DBP = (logits_2DBP[0] - logits_2DBP[1]) / (2 * STEP)
        return torch.einsum("dbp,bp->bd", change_DBP, slope_BP), None


def _latent_dim(
    encodes: Signature, decodes: Signature, image: ImageShape, names: tuple[str, str]
) -> int:
    """Return the dimensions of the decoder's latents; refuse other inputs than the contract's."""
    wanted = planes_of(image)
    if encodes.sizes != wanted:
        raise NetworkError(
            f"{names[0]} takes {_shape(encodes.sizes)}; the images are {_shape(wanted)}: channels, "
            "height and width, numbers from 0 to 1. Export it around what brings them to its own "
            "form."
        )
    if len(decodes.sizes) != 1 or not 1 <= decodes.sizes[0] <= MOST_LATENTS:
        raise NetworkError(
            f"{names[1]} takes {_shape(decodes.sizes)}; it must take latents of 1 to "
            f"{MOST_LATENTS} numbers, N x D. Export a grid of numbers flattened."
        )
    for which, signature, most in ((names[0], encodes, 2), (names[1], decodes, 1)):
        if not 1 <= len(signature.outputs) <= most:
            raise NetworkError(
                f"{which} has {len(signature.outputs)} outputs, {', '.join(signature.outputs)}; "
                + ("an encoder has a mean, and perhaps a spread." if most > 1 else
                   "a decoder has one, the image.")
            )  # fmt: skip
    return decodes.sizes[0]


def planes_of(image: ImageShape) -> tuple[int, int, int]:
    """Return the sizes of an image as networks elsewhere order them."""
    return image.channels, image.height, image.width


def _require_shapes(which: str, found: Tried, wanted: tuple[int, ...]) -> None:
    for shape in found.shapes:
        if shape[1:] != wanted:
            raise NetworkError(
                f"{which} gives {_shape(shape[1:])} for each row; it must give {_shape(wanted)}."
            )


def _shape(sizes: Sequence[int]) -> str:
    return " x ".join(["N", *map(str, sizes)])


def _padded(rows_ND: np.ndarray) -> np.ndarray:
    """Return rows of at least two numbers; 0 is both a mean and a log-variance of the prior."""
    missing = max(0, FEWEST_LATENTS - rows_ND.shape[1])
    return np.pad(rows_ND, ((0, 0), (0, missing))) if missing else rows_ND
