"""Write an encoder and a decoder of PyTorch as the two ONNX files that the explorer imports."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn


def write(encoder: nn.Module, decoder: nn.Module, image: Tensor, latent: Tensor, to: Path) -> None:
    """Write `encoder.onnx` and `decoder.onnx`.

    Args:
        encoder: Images from 0 to 1, N x C x H x W -> mean and log-variance, N x D each.
        decoder: Latents, N x D -> images from 0 to 1, N x C x H x W.
        image: One image, 1 x C x H x W; its numbers do not matter.
        latent: One latent, 1 x D.
        to: The folder.
    """
    to.mkdir(parents=True, exist_ok=True)
    files = (
        (encoder, image, "encoder.onnx", ["image"], ["mean", "log_variance"]),
        (decoder, latent, "decoder.onnx", ["latent"], ["image"]),
    )
    for network, example, file, inputs, outputs in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the newer exporter, which needs more packages
            torch.onnx.export(
                network.eval(),
                (example,),
                to / file,
                input_names=inputs,
                output_names=outputs,
                dynamic_axes={name: {0: "N"} for name in inputs + outputs},
                dynamo=False,
            )
    print(f"{to} has encoder.onnx and decoder.onnx. In the explorer's checkout:")
    print(
        f"  python -m model import --encoder {to}/encoder.onnx --decoder {to}/decoder.onnx "
        "--data NAME"
    )
