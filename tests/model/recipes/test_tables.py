"""What the tables of a recipe may not hold, and what of them does not go together."""

from pathlib import Path

import pytest

from model.errors import RecipeError
from tests.model import tiny
from tests.model.tiny import ARTICLE, AUTOENCODER, CODEBOOK, LAID_OUT, STACKED, TAUGHT
from tests.model.tiny import RECIPE as GOOD

REFUSALS = {
    "a recurrent network reads rows of pixels": (
        GOOD, 'kind = "residual"', 'kind = "recurrent"', "[encoder] hidden has 2 widths",
    ),
    "a convolutional one needs its channels": (
        CODEBOOK, "channels = [4, 6]", "channels = []", "[encoder] channels is []",
    ),
    "a grid of 7 x 7 takes two layers": (
        CODEBOOK, "channels = [4, 6]", "channels = [4]", "encoder has the channels [4]; a VQ-VAE",
    ),
    "channels are not nothing": (
        CODEBOOK, "channels = [4, 6]", "channels = [4, 0]", "[encoder] channels is [4, 0]",
    ),
    "waves of a grid are not made": (
        CODEBOOK, "channels = [6, 4]", "channels = [6, 4]\nfourier_features = 8",
        "[decoder] fourier_features does not go with conv",
    ),
    "dropout is for mlps": (
        GOOD, "hidden = [32, 32]", "hidden = [32, 32]\ndropout = 0.5", "[encoder] dropout is for",
    ),
    "a bound of weights is for mlps": (
        GOOD, "hidden = [32, 32]", "hidden = [32, 32]\nmax_norm = 2", "[encoder] max_norm is for",
    ),
    "a posterior's mean may be negative": (
        GOOD, "hidden = [32, 32]", 'hidden = [32, 32]\noutput = "relu"',
        'encoder ends in "relu"; only the encoder of an autoencoder may',
    ),
    "logits may be negative": (
        AUTOENCODER, "hidden = [16]", 'hidden = [16]\noutput = "relu"', 'decoder ends in "relu"',
    ),
    "two numbers are no grid": (
        AUTOENCODER, 'kind = "mlp"\nhidden = [16]\nfourier_features = 8',
        'kind = "conv"\nchannels = [4, 4]', "only a VQ-VAE takes one",
    ),
    "training has epochs": (
        GOOD, "epochs = 3", "epochs = 0", "training has epochs = 0, which trains nothing",
    ),
    "a taught model does not train": (
        TAUGHT, "[training]", "[training]\nepochs = 3", "distillation takes the place of training",
    ),
    "a teacher has a name": (
        TAUGHT, 'teacher = "small-vae"\n', "", "[distillation] teacher is missing",
    ),
    "a share of the prior is a share": (
        TAUGHT, "batch_size = 16", "prior_share = 1.5", "[distillation] prior_share is a share",
    ),
    "only ink can be taught": (
        TAUGHT, 'group = "map"', 'group = "map"\nlikelihood = "gaussian"',
        'compares pixels that are ink or none; likelihood is "gaussian"',
    ),
    "the teacher alone is weighted": (
        TAUGHT, "[refit]", "[importance]\nepochs = 1\n\n[refit]", "importance is for the teacher",
    ),
    "refitting takes an epoch": (
        GOOD, "[refit]\nepochs = 1", "[refit]\nepochs = 0", "[refit] epochs must be at least 1",
    ),
    "a VAE's code has its price already": (
        ARTICLE, "epochs = 3", "epochs = 3\nsparsity = 1", "noise or sparsity, which are for",
    ),
    "only autoencoders undo noise": (
        ARTICLE, "epochs = 3", "epochs = 3\nnoise = 0.5", "noise or sparsity, which are for",
    ),
    "a map has two dimensions": (
        LAID_OUT, "latent_dim = 2", "latent_dim = 3", "layout gives places on a plane",
    ),
    "a layout is learned in epochs": (
        LAID_OUT, "[layout]\nimages = 100\nepochs = 1", "[layout]\nimages = 100\nepochs = 0",
        "[layout] epochs must be at least 1",
    ),
    "few images are no map": (
        LAID_OUT, "images = 100", "images = 99", "[layout] images must be 100 to 60000",
    ),
    "pretraining takes an epoch": (
        STACKED, "[pretraining]\nepochs = 1", "[pretraining]\nepochs = 0",
        "[pretraining] epochs must be at least 1",
    ),
    "noise keeps some of the input": (
        STACKED, "[pretraining]\nepochs = 1", "[pretraining]\nepochs = 1\nnoise = 1",
        "[pretraining] noise is a share, at least 0 and below 1",
    ),
    "layers come in pairs": (
        STACKED, "hidden = [12, 24]", "hidden = [24, 12]", "those of the other in reverse",
    ),
    "a layer of waves has no mirror": (
        STACKED, "hidden = [12, 24]", "hidden = [12, 24]\nfourier_features = 8",
        "mlps without Fourier features",
    ),
    "an image is a grid of 49": (
        CODEBOOK, "latent_dim = 49", "latent_dim = 50", "must be 49 for a VQ-VAE: a grid of 7 x 7",
    ),
    "a codebook is asked for": (
        CODEBOOK, "[codebook]\nentries = 8\ndimensions = 3\n", "",
        'codebook goes with family "vqvae", and only with it',
    ),
    "one entry says nothing": (
        CODEBOOK, "entries = 8", "entries = 1", "[codebook] entries must be 2 to 65536",
    ),
    "an entry has dimensions": (
        CODEBOOK, "dimensions = 3", "dimensions = 0", "[codebook] dimensions must be at least 1",
    ),
    "without commitment the encoder runs away": (
        CODEBOOK, "dimensions = 3", "dimensions = 3\ncommitment = 0",
        "[codebook] commitment must be above 0",
    ),
    "entries are no posterior": (
        CODEBOOK, 'posterior = "codebook"', 'posterior = "diagonal"', "there it must be 'codebook'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("good", "old", "new", "complaint"), REFUSALS.values(), ids=REFUSALS)
def test_what_does_not_go_together_is_refused_with_the_remedy(
    tmp_path: Path, good: str, old: str, new: str, complaint: str
) -> None:
    tiny.recipe(tmp_path, good)
    assert good.count(old) == 1
    with pytest.raises(RecipeError) as refusal:
        tiny.recipe(tmp_path, good.replace(old, new))
    assert str(refusal.value).startswith(f"{tmp_path}/recipe.toml")
    assert complaint in str(refusal.value)
