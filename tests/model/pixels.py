"""A second source for p(x|z): torch.distributions, and where they fail a closed form."""

import torch
from torch import Tensor, distributions

from model.vae.autoencoder import Autoencoder


def log_prob(kind: str, autoencoder: Autoencoder, image: Tensor, output: Tensor) -> Tensor:
    """The log-density of images, in nats summed over pixels; linear in grey Bernoulli ones."""
    if kind == "continuous-bernoulli":
        decay, faded = truncated_exponential(output)
        place = torch.where(faded, image, 1 - image)
        return (decay.log() - decay * place - (-torch.expm1(-decay)).log()).sum(-1)
    q = pixels(kind, autoencoder, output)
    if kind == "bernoulli":
        ink, none = (q.log_prob(torch.full_like(output, x)) for x in (1.0, 0.0))
        return torch.as_tensor(image * ink + (1 - image) * none).sum(-1)
    return torch.as_tensor(q.log_prob(image)).sum(-1)


def mean(kind: str, autoencoder: Autoencoder, output: Tensor) -> Tensor:
    """The mean image."""
    if kind == "continuous-bernoulli":
        decay, faded = truncated_exponential(output)
        short = 1 / decay - 1 / torch.expm1(decay)
        return torch.where(faded, short, 1 - short)
    return pixels(kind, autoencoder, output).mean.clamp(0, 1)


def truncated_exponential(logit: Tensor) -> tuple[Tensor, Tensor]:
    """The continuous Bernoulli as what it is: e^(logit x) on [0, 1], in double precision.

    Its rate of decay, and whether it falls from 0 or from 1. torch.distributions keeps lambda a
    rounding error away from 0, as if no logit were below -36: its darkest mean is grey level 7.
    """
    return logit.double().abs().clamp(min=1e-5), logit < 0


def pixels(kind: str, autoencoder: Autoencoder, output: Tensor) -> distributions.Distribution:
    """The distribution of each pixel that a decoder's output stands for."""
    if kind == "gaussian":
        log_sigma = autoencoder.state_dict()["likelihood.log_sigma"]
        return distributions.Normal(output, log_sigma.exp().to(output))
    assert kind == "bernoulli"
    return distributions.Bernoulli(logits=output)
