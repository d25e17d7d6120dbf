"""A model of pythae, as its trainer saved it, as two ONNX files.

    python examples/export/pythae_model.py --model my_model/VAE_training_1/final_model --to my-vae

Any of its models will do whose encoder gives an embedding and a log_covariance. Without --model a
small one with fresh weights goes the same way. It needs pythae and this folder.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from pythae.models import VAE, AutoModel, VAEConfig
from torch import Tensor, nn
from two_files import write


class Encoder(nn.Module):
    """Images from 0 to 1 -> mean and log-variance."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Take both out of what pythae returns."""
        found = self.encoder(image)
        return found.embedding, found.log_covariance


class Decoder(nn.Module):
    """Latents -> images from 0 to 1."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(self, latent: Tensor) -> Tensor:
        """Take the images out of what pythae returns."""
        return self.decoder(latent).reconstruction


def small(folder: str) -> str:
    """Save a model of fresh weights as pythae does; return where."""
    VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=4)).save(folder)
    return folder


def main() -> None:
    """Read the model and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="the folder final_model of a training")
    parser.add_argument("--to", type=Path, required=True, help="where the two files are written")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = AutoModel.load_from_folder(arguments.model or small(folder))
    image = torch.zeros(1, *model.model_config.input_dim)
    latent = torch.zeros(1, model.model_config.latent_dim)
    write(Encoder(model), Decoder(model), image, latent, arguments.to)


if __name__ == "__main__":
    main()
