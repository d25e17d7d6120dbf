"""An AutoencoderKL of diffusers, at a small size, as two ONNX files.

    python examples/export/diffusers_autoencoder.py --model folder --side 32 --to my-vae

Its latent is a grid, C x H x W numbers, which the explorer takes as one vector of at most 512: 4 x
8 x 8 for images of 32 x 32. A plane through such a space changes all places of an image at once, so
a map of it shows blends, not kinds of images.

Without --model a small one with fresh weights goes the same way. It needs diffusers and this
folder.
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from two_files import write


class Encoder(nn.Module):
    """Images from 0 to 1 -> mean and log-variance, flattened."""

    def __init__(self, model: AutoencoderKL) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Bring images to -1 to 1, and take the moments before they are sampled from."""
        moments = self.model.quant_conv(self.model.encoder(2 * image - 1))
        mean, log_variance = moments.chunk(2, dim=1)
        return mean.flatten(1), log_variance.flatten(1)


class Decoder(nn.Module):
    """Flat latents -> images from 0 to 1."""

    def __init__(self, model: AutoencoderKL, grid: torch.Size) -> None:
        super().__init__()
        self.model, self.grid = model, grid

    def forward(self, latent: Tensor) -> Tensor:
        """Make a grid of the latents, and bring the images back to 0 to 1."""
        grid = latent.reshape(-1, *self.grid)
        image: Tensor = self.model.decoder(self.model.post_quant_conv(grid)) / 2 + 0.5
        return image.clamp(0, 1)


def small() -> AutoencoderKL:
    """Return a model of fresh weights for images of 32 x 32."""
    return AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3,
        block_out_channels=[8, 16, 16],
        norm_num_groups=4,
        latent_channels=4,
        sample_size=32,
    )


def main() -> None:
    """Read the model and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a folder that save_pretrained wrote")
    parser.add_argument("--side", type=int, default=32, help="pixels; default: %(default)s")
    parser.add_argument("--to", type=Path, required=True, help="where the two files are written")
    arguments = parser.parse_args()
    if arguments.model:
        model = AutoencoderKL.from_pretrained(arguments.model)
    else:
        model = small()
    model.requires_grad_(False)
    image = torch.zeros(1, model.config.in_channels, arguments.side, arguments.side)
    grid = model.encode(image).latent_dist.mean.shape[1:]
    write(Encoder(model), Decoder(model, grid), image, torch.zeros(1, grid.numel()), arguments.to)


if __name__ == "__main__":
    main()
