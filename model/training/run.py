"""A training run: the stages of a recipe in order, epoch by epoch, resumable."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from tqdm import tqdm

from model.atlas import Moment, make_moment, pack_moments, unpack_moments
from model.checkpoint import Checkpoint
from model.errors import RecipeError
from model.image_shape import ImageShape
from model.recipes.recipe import Recipe
from model.training.distillation import Distil
from model.training.importance import ImportanceWeighted
from model.training.layout import Layout
from model.training.optimisation import PRECISIONS, Average, products, schedule
from model.training.pretraining import Pretrain
from model.training.stages import Fit, Images, Refit, Stage
from model.training.state import (
    Progress,
    load_optimiser,
    load_state,
    optimiser_tensors,
    save_state,
)
from model.vae.autoencoder import (
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
    build_autoencoder,
)

MOMENT_EPOCHS = (0, 1, 2, 3, 5, 8, 12, 18, 26, 40, 60, 90, 130, 200)


class Run:
    """The weights and the progress of one recipe's training.

    Args:
        recipe: The recipe to train.
        train: Training images.
        test: The shipped test images. The moments show them, and with `held_out = 0` progress is
            followed on them. They are never trained on.
        state_path: The file that keeps the run's state between epochs.
        device: A torch device.
        teacher: The model that `[distillation]` names.
        resume: Whether to resume from `state_path` instead of starting over.
        say: Called with a line after each epoch.
        precision: Precision of products in training; measurements are always in full precision.
        watch: Called with the run before its first epoch and after each, when its state is on the
            disk; the weights are their averages then.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: UInt8[np.ndarray, "images ..."],
        test: UInt8[np.ndarray, "images ..."],
        state_path: Path,
        device: str = "cpu",
        *,
        teacher: Checkpoint | None = None,
        resume: bool = False,
        say: Callable[[str], object] = tqdm.write,
        precision: str = PRECISIONS[0],
        watch: Callable[[Run], object] | None = None,
    ) -> None:
        self.watch = watch
        self.recipe, self.test, self.state_path = recipe, test, state_path
        self.device, self.say, self.precision = torch.device(device), say, precision
        torch.set_flush_denormal(True)  # dead pixels make Adam's moments denormal, which is slow
        torch.manual_seed(recipe.seed)
        autoencoder = build_autoencoder(recipe, ImageShape.of(train))
        self.autoencoder = autoencoder.to(self.device).eval()
        self.images = self._images(train)
        self.progress = Progress(recipe.as_dict(), images_sha256=_sha256(train, test))
        self.moments: list[Moment] = []
        self.epochs_before = 0
        self.pending: dict[str, Tensor] = {}
        self.teacher = self._taught_by(teacher)
        if resume:
            self.progress, self.pending = load_state(state_path, self.progress)
            self._load(self.pending)
        else:
            self._take_moment(0)
            self._save({})

    def _taught_by(self, teacher: Checkpoint | None) -> VariationalAutoencoder | None:
        """Copy the teacher's encoder and its moments, whose map this run's decoder learns."""
        assert (teacher is not None) == (self.recipe.distillation is not None)
        if teacher is None:
            return None
        if not isinstance(teacher.autoencoder, VariationalAutoencoder):
            raise RecipeError(f"{teacher.card.id} is no VAE; it cannot teach {self.recipe.id}.")
        mine, theirs = self.recipe.as_dict(), Recipe.from_dict(teacher.card.recipe).as_dict()
        for name in ("dataset", "latent_dim", "likelihood", "posterior", "encoder"):
            if mine[name] != theirs[name]:
                raise RecipeError(
                    f"{name} is {mine[name]} in {self.recipe.id} but {theirs[name]} in its "
                    f"teacher {teacher.card.id}; make them equal."
                )
        self.autoencoder.encoder.load_state_dict(teacher.autoencoder.encoder.state_dict())
        self.moments = list(teacher.atlas.moments)
        self.epochs_before = self.moments[-1].epoch
        return teacher.autoencoder.to(self.device)

    def finish(self) -> Autoencoder:
        """Run all epochs that are left; return the finished autoencoder."""
        tables = ("layout", "pretraining", "training", "importance", "distillation", "refit")
        stages: dict[str, Callable[[], Stage]] = {
            "layout": self._layout,
            "pretraining": lambda: Pretrain(self.autoencoder, self.images, self.recipe),
            "training": lambda: Fit(self.autoencoder, self.images, self.recipe),
            "importance": self._importance,
            "distillation": self._distil,
            "refit": lambda: Refit(self.autoencoder, self.images, self.recipe),
        }
        wanted = [name for name in tables if getattr(self.recipe, name) is not None]
        if self.recipe.distillation:
            wanted.remove("training")
        if self.watch:
            self.watch(self)
        while self.progress.stage < len(wanted):
            self._run_stage(stages[wanted[self.progress.stage]]())
            self.progress.stage += 1
            self.progress.epoch = 0
            self._save({})
        self.autoencoder.eval()
        if isinstance(self.autoencoder, VariationalAutoencoder):
            self.autoencoder.refinements = self.recipe.refinements
        return self.autoencoder

    def _layout(self) -> Stage:
        assert isinstance(self.autoencoder, VariationalAutoencoder)
        return Layout(self.autoencoder, self.images, self.recipe)

    def _importance(self) -> Stage:
        assert isinstance(self.autoencoder, VariationalAutoencoder)
        return ImportanceWeighted(self.autoencoder, self.images, self.recipe)

    def _distil(self) -> Stage:
        assert self.recipe.distillation
        assert self.teacher is not None
        student = self.autoencoder.decoder
        return Distil(self.teacher, student, self.images, self.recipe.distillation)

    def _run_stage(self, stage: Stage) -> None:
        parameters = list(stage.trained.parameters())
        optimiser = torch.optim.Adam(self._groups(stage), lr=stage.learning_rate, fused=True)
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
                with products(self.precision):
                    loss = self._run_epoch(stage, epoch, optimiser, average, bar)
                with average.applied():
                    self.autoencoder.eval()
                    followed = stage.follow()
                    self._take_moment(self.epochs + 1)
                if epoch + 1 == stage.epochs:
                    average.keep()
                self._record(stage, epoch, loss, followed, time.perf_counter() - started)
                self._save({**optimiser_tensors(optimiser), **average.tensors()})
                self._tell(stage)
                if self.watch:
                    with average.applied():
                        self.watch(self)

    def _groups(self, stage: Stage) -> list[dict[str, Any]]:
        """The parameters of a stage by their pace: those of the encoder, and the others."""
        slow = set(self.autoencoder.encoder.parameters())
        sides: tuple[list[nn.Parameter], list[nn.Parameter]] = [], []
        for parameter in stage.trained.parameters():
            sides[parameter not in slow].append(parameter)
        paces = (stage.encoder_pace, 1.0)
        return [
            {"params": side, "pace": pace} for side, pace in zip(sides, paces, strict=True) if side
        ]

    def _run_epoch(
        self,
        stage: Stage,
        epoch: int,
        optimiser: torch.optim.Optimizer,
        average: Average,
        bar: tqdm[NoReturn],
    ) -> float:
        torch.manual_seed(epoch_seed(self.recipe.seed, self.progress.stage, epoch))
        self.autoencoder.train()
        clip = self.recipe.training.gradient_clip
        total = torch.zeros((), device=self.device)
        steps = stage.epochs * stage.steps_per_epoch
        for i, loss in enumerate(stage.losses(epoch)):
            step = epoch * stage.steps_per_epoch + i
            rate = stage.learning_rate * schedule(step / steps, stage.warmup, stage.decay)
            for group in optimiser.param_groups:
                group["lr"] = rate * group["pace"]
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            if clip:
                nn.utils.clip_grad_norm_(stage.trained.parameters(), clip)
            optimiser.step()
            stage.constrain()
            average.update(step)
            total += loss.detach()
            if bar.update():
                bar.set_postfix(loss=f"{(total / (i + 1)).item():.2f}", refresh=False)
        mean = (total / stage.steps_per_epoch).item()
        if not math.isfinite(mean):
            raise RecipeError(
                f"The training diverged: in epoch {epoch + 1} of stage {stage.name} the loss is "
                f"{mean}. Lower its learning_rate and start anew with --replace."
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

    @property
    def epochs(self) -> int:
        """Epochs done, over all stages; a distilled run counts on from its teacher's."""
        return self.epochs_before + len(self.progress.history)

    def take_last_moment(self) -> None:
        """Take the moment of the final weights, in place of one of the same epoch."""
        self.moments = [moment for moment in self.moments if moment.epoch < self.epochs]
        if not isinstance(self.autoencoder, VectorQuantisedAutoencoder):
            self.moments.append(make_moment(self.autoencoder, self.test, self.epochs))

    def _take_moment(self, epoch: int) -> None:
        """Take a moment at some epochs of a run without a teacher; a codebook has no plane."""
        if isinstance(self.autoencoder, VectorQuantisedAutoencoder) or self.teacher is not None:
            return
        if epoch in MOMENT_EPOCHS:
            self.moments.append(make_moment(self.autoencoder, self.test, epoch))

    def _images(self, train: UInt8[np.ndarray, "images ..."]) -> Images:
        held_out, batch_size = self.recipe.training.held_out, self.recipe.training.batch_size
        if len(train) - held_out < batch_size:
            raise RecipeError(
                f"{self.recipe.dataset} has {len(train)} training images, {held_out} of them held "
                f"out; that does not fill a batch of {batch_size}. Lower batch_size or held_out."
            )
        if self.recipe.layout and self.recipe.layout.images >= len(train) - held_out:
            raise RecipeError(
                f"[layout] maps {self.recipe.layout.images} images; {self.recipe.dataset} has "
                f"{len(train) - held_out} to train on, and it must be fewer than that."
            )
        kept = train[: len(train) - held_out]
        followed = train[len(kept) :] if held_out else self.test
        flat = [torch.from_numpy(part.reshape(len(part), -1).copy()) for part in (kept, followed)]
        train_NP, followed_NP = (part.to(self.device) for part in flat)
        return Images(train_NP, followed_NP, self.recipe.training.binarise)

    def _save(self, stage_tensors: dict[str, Tensor]) -> None:
        moments = pack_moments(self.moments)
        tensors = {
            **{f"weights.{name}": t for name, t in self.autoencoder.state_dict().items()},
            **{name: torch.from_numpy(array) for name, array in moments.items()},
            **stage_tensors,
        }
        save_state(self.state_path, self.progress, tensors)

    def _load(self, tensors: dict[str, Tensor]) -> None:
        prefix = "weights."
        weights = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        self.autoencoder.load_state_dict(weights)
        arrays = {k: t.numpy() for k, t in tensors.items() if k.startswith("moments.")}
        self.moments = list(unpack_moments(arrays))


def _sha256(*arrays: np.ndarray) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(array.tobytes())
    return found.hexdigest()


def epoch_seed(seed: int, stage: int, epoch: int) -> int:
    """Return a seed that is different for every epoch."""
    return int(np.random.SeedSequence([seed, stage, epoch]).generate_state(1)[0])
