"""A training run: the stages of a recipe one after another, epoch by epoch, resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from tqdm import tqdm

from model.atlas import Moment, make_moment, pack_moments, unpack_moments
from model.autoencoder import Autoencoder, VariationalAutoencoder, build_autoencoder
from model.errors import RecipeError
from model.networks import build_network
from model.recipe import Recipe
from model.training.stages import Distil, Fit, Images, Refit, Stage
from model.training.state import (
    Progress,
    load_optimiser,
    load_state,
    optimiser_tensors,
    save_state,
)

MOMENT_EPOCHS = (0, 1, 2, 3, 5, 8, 12, 18, 26, 40, 60, 90, 130, 200)


class Run:
    """The weights and the progress of one recipe's training.

    Args:
        recipe: What to train.
        train: Training images.
        test: The shipped test images: the moments show them, and with `held_out = 0` they are
            followed. They never train.
        state_path: Where the run keeps itself between epochs.
        device: A torch device.
        resume: Go on from `state_path` instead of starting anew.
        say: Called with a line after each epoch.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: UInt8[np.ndarray, "images 28 28"],
        test: UInt8[np.ndarray, "images 28 28"],
        state_path: Path,
        device: str = "cpu",
        *,
        resume: bool = False,
        say: Callable[[str], object] = tqdm.write,
    ) -> None:
        self.recipe, self.test, self.state_path = recipe, test, state_path
        self.device, self.say = torch.device(device), say
        torch.set_flush_denormal(True)  # dead pixels drive Adam's moments there, and it is slow
        torch.manual_seed(recipe.seed)
        self.autoencoder = build_autoencoder(recipe, recipe.trained_decoder).to(self.device)
        self.student = build_network(recipe.decoder, recipe.latent_dim, train[0].size)
        self.student.to(self.device)
        self.images = self._images(train)
        self.progress = Progress(recipe.as_dict())
        self.moments: list[Moment] = []
        self.pending: dict[str, Tensor] = {}
        if resume:
            self.progress, self.pending = load_state(state_path, recipe.as_dict())
            self._load(self.pending)
        else:
            self._take_moment(0)
            self._save({})

    def finish(self) -> Autoencoder:
        """Run all epochs that are left; the result holds the decoder that ships."""
        names = ["fit"]
        if distillation := self.recipe.distillation:
            names += ["distil", "refit"] if distillation.refit_epochs else ["distil"]
        while self.progress.stage < len(names):
            self._run_stage(self._stage(names[self.progress.stage]))
            self.progress.stage += 1
            self.progress.epoch = 0
            self._save({})
        return self._shipped()

    def _stage(self, name: str) -> Stage:
        if name == "fit":
            return Fit(self.autoencoder, self.images, self.recipe)
        if name == "refit":
            return Refit(self._shipped(), self.images, self.recipe)
        assert self.recipe.distillation
        assert isinstance(self.autoencoder, VariationalAutoencoder)
        return Distil(self.autoencoder, self.student, self.images, self.recipe.distillation)

    def _shipped(self) -> Autoencoder:
        """The trained encoder with the decoder that ships, sharing the weights of the run."""
        if not self.recipe.distillation:
            return self.autoencoder
        shipped = build_autoencoder(self.recipe, self.recipe.decoder)
        shipped.encoder, shipped.decoder = self.autoencoder.encoder, self.student
        return shipped

    def _run_stage(self, stage: Stage) -> None:
        parameters = list(stage.trained.parameters())
        optimiser = torch.optim.Adam(parameters, lr=stage.learning_rate, fused=True)
        average = Average(parameters, stage.ema)
        if self.progress.epoch:
            load_optimiser(optimiser, self.pending)
            average.load(self.pending)
        self.pending = {}
        steps = stage.epochs * stage.steps_per_epoch
        done = self.progress.epoch * stage.steps_per_epoch
        with tqdm(total=steps, initial=done, desc=stage.name, unit="step", disable=None) as bar:
            for epoch in range(self.progress.epoch, stage.epochs):
                started = time.perf_counter()
                loss = self._run_epoch(stage, epoch, optimiser, average, bar)
                with average.applied():
                    followed = stage.follow()
                    if stage.name == "fit" and epoch + 1 in MOMENT_EPOCHS:
                        self._take_moment(epoch + 1)
                if epoch + 1 == stage.epochs:
                    average.keep()
                self._record(stage, epoch, loss, followed, time.perf_counter() - started)
                self._save({**optimiser_tensors(optimiser), **average.tensors()})
                self._tell(stage)

    def _run_epoch(
        self,
        stage: Stage,
        epoch: int,
        optimiser: torch.optim.Optimizer,
        average: Average,
        bar: tqdm[NoReturn],
    ) -> float:
        torch.manual_seed(epoch_seed(self.recipe.seed, self.progress.stage, epoch))
        total = torch.zeros((), device=self.device)
        steps = stage.epochs * stage.steps_per_epoch
        for i, loss in enumerate(stage.losses(epoch)):
            step = epoch * stage.steps_per_epoch + i
            for group in optimiser.param_groups:
                group["lr"] = stage.learning_rate * schedule(
                    step / steps, stage.warmup, stage.decay
                )
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            average.update(step)
            total += loss.detach()
            if bar.update():
                bar.set_postfix(loss=f"{(total / (i + 1)).item():.2f}", refresh=False)
        mean = (total / stage.steps_per_epoch).item()
        if not math.isfinite(mean):
            raise RecipeError(
                f"The training diverged: in epoch {epoch + 1} of stage {stage.name} the loss is "
                f"{mean}. Lower its learning_rate and start anew."
            )
        return mean

    def _record(
        self, stage: Stage, epoch: int, loss: float, followed: dict[str, float], seconds: float
    ) -> None:
        self.progress.epoch = epoch + 1
        self.progress.seconds += seconds
        entry = {"stage": stage.name, "epoch": epoch + 1, "train_loss": loss, **followed}
        self.progress.history.append({**entry, "seconds": round(seconds, 2)})

    def _tell(self, stage: Stage) -> None:
        entry = dict(self.progress.history[-1])
        place = f"{entry.pop('stage')} {entry.pop('epoch')}/{stage.epochs}"
        self.say("  ".join([place, *(f"{name} {value:.2f}" for name, value in entry.items())]))

    def take_last_moment(self, shipped: Autoencoder) -> None:
        """Take the moment of what ships, in place of one of the same epoch."""
        epoch = self.recipe.training.epochs
        self.moments = [moment for moment in self.moments if moment.epoch < epoch]
        self.moments.append(make_moment(shipped, self.test, epoch))

    def _take_moment(self, epoch: int) -> None:
        self.moments.append(make_moment(self.autoencoder, self.test, epoch))

    def _images(self, train: UInt8[np.ndarray, "images 28 28"]) -> Images:
        held_out = self.recipe.training.held_out
        kept = train[: len(train) - held_out]
        followed = train[len(kept) :] if held_out else self.test
        flat = [torch.from_numpy(part.reshape(len(part), -1).copy()) for part in (kept, followed)]
        train_NP, followed_NP = (part.to(self.device) for part in flat)
        return Images(train_NP, followed_NP, self.recipe.training.binarise)

    def _modules(self) -> nn.ModuleDict:
        return nn.ModuleDict({"autoencoder": self.autoencoder, "student": self.student})

    def _save(self, stage_tensors: dict[str, Tensor]) -> None:
        moments = pack_moments(self.moments)
        tensors = {
            **{f"weights.{name}": t for name, t in self._modules().state_dict().items()},
            **{name: torch.from_numpy(array) for name, array in moments.items()},
            **stage_tensors,
        }
        save_state(self.state_path, self.progress, tensors)

    def _load(self, tensors: dict[str, Tensor]) -> None:
        prefix = "weights."
        weights = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        self._modules().load_state_dict(weights)
        arrays = {k: t.numpy() for k, t in tensors.items() if k.startswith("moments.")}
        self.moments = list(unpack_moments(arrays))


class Average:
    """An exponential moving average of weights: less noisy than the last step's.

    Source: Polyak & Juditsky 1992; its decay rises with the steps, so that it forgets the start.
    """

    def __init__(self, parameters: list[nn.Parameter], decay: float) -> None:
        self.parameters = parameters if decay else []
        self.decay = decay
        self.averages = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            average.lerp_(parameter, weight)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within, the parameters are their averages."""
        current = [p.detach().clone() for p in self.parameters]
        self.keep()
        try:
            yield
        finally:
            self._put(current)

    def keep(self) -> None:
        """Set the parameters to their averages."""
        self._put(self.averages)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    def tensors(self) -> dict[str, Tensor]:
        return {f"average.{i}": average for i, average in enumerate(self.averages)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        for i, average in enumerate(self.averages):
            average.copy_(tensors[f"average.{i}"])


def schedule(progress: float, warmup: float, decay: str) -> float:
    """The learning rate as a share of its peak, after a share `progress` of all steps."""
    if progress < warmup:
        return progress / warmup
    if decay == "none":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def epoch_seed(seed: int, stage: int, epoch: int) -> int:
    """A seed of its own for every epoch."""
    return int(np.random.SeedSequence([seed, stage, epoch]).generate_state(1)[0])
