"""Training as a whole, on a few images: what decides its result, and what must not."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from model.checkpoint import Checkpoint
from model.errors import RecipeError
from model.recipes.recipe import Recipe
from model.recipes.tables import Network
from tests.model import tiny
from tests.model.training.runs import TEST, TRAIN, assert_identical, start, taught_by, weights

pytestmark = pytest.mark.usefixtures("short_distillation")

IMAGES = torch.from_numpy(TEST[:5].reshape(5, -1).copy()).float() / 255


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights of tiny.RECIPE."""
    folder = tmp_path_factory.mktemp("unbroken")
    return weights(start(folder, tiny.recipe(folder)))


def test_training_goes_through_its_stages_and_keeps_a_history(
    tmp_path: Path, recipe: Recipe
) -> None:
    run = start(tmp_path, recipe)
    run.finish()
    history = run.progress.history
    assert [(entry["stage"], entry["epoch"]) for entry in history] == [
        ("fit", 1), ("fit", 2), ("fit", 3), ("importance", 1), ("refit", 1),
    ]  # fmt: skip
    assert all(math.isfinite(entry["train_loss"]) for entry in history)
    assert history[2]["elbo"] > history[0]["elbo"]
    assert history[3]["log_likelihood_16"] > history[3]["elbo"]


KINDS = {
    "autoencoder": tiny.AUTOENCODER,
    "article": tiny.ARTICLE,
    "stacked": tiny.STACKED,
    "codebook": tiny.CODEBOOK,
    "gaussian": tiny.GAUSSIAN,
    "continuous-bernoulli": tiny.CONTINUOUS_BERNOULLI,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_family_and_likelihood_learns(tmp_path: Path, name: str) -> None:
    run = start(tmp_path, tiny.recipe(tmp_path, KINDS[name]))
    run.finish()
    history = [entry for entry in run.progress.history if entry["stage"] == "fit"]
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["reconstruction"] > history[0]["reconstruction"]
    assert ("kl" in history[0]) == (run.recipe.family == "vae")


@pytest.mark.parametrize("kind", ["conv", "recurrent"])
def test_every_kind_of_network_learns(tmp_path: Path, recipe: Recipe, kind: str) -> None:
    channels = (4, 6) if kind == "conv" else ()
    encoder = Network(kind=kind, hidden=(12,), channels=channels)  # type: ignore[arg-type]
    decoder = replace(encoder, channels=channels[::-1])
    training = replace(recipe.training, epochs=2, learning_rate=3e-3)
    few = replace(
        recipe, encoder=encoder, decoder=decoder, training=training, importance=None, refit=None
    )
    run = start(tmp_path, few)
    run.finish()
    first, last = run.progress.history
    assert last["train_loss"] < first["train_loss"]


def test_the_same_seed_gives_the_same_weights(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor]
) -> None:
    torch.manual_seed(99)  # what went before has no say
    assert_identical(weights(start(tmp_path, recipe)), unbroken)


def test_another_seed_gives_other_weights(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor]
) -> None:
    other = weights(start(tmp_path, replace(recipe, seed=5)))
    assert not torch.equal(other["encoder.0.weight"], unbroken["encoder.0.weight"])


def test_neither_held_out_nor_test_images_ever_train(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor]
) -> None:
    train = TRAIN.copy()
    train[-recipe.training.held_out :] = 255
    assert_identical(weights(start(tmp_path, recipe, train=train, test=255 - TEST)), unbroken)


def test_refitting_leaves_the_decoder_alone(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor]
) -> None:
    plain = weights(start(tmp_path, replace(recipe, refit=None)))
    for name, tensor in plain.items():
        same = torch.equal(unbroken[name], tensor)
        assert same == name.startswith("decoder."), name


def test_moments_are_taken_from_the_first_step_to_what_ships(
    tmp_path: Path, recipe: Recipe
) -> None:
    run = start(tmp_path, recipe)
    shipped = run.finish()
    run.take_last_moment()
    assert [moment.epoch for moment in run.moments] == [0, 1, 2, 3, 5]
    codes = shipped.code(IMAGES).detach().numpy()
    np.testing.assert_allclose(run.moments[-1].codes[:5], codes, rtol=1e-3, atol=1e-3)


def test_the_first_moment_is_of_the_whole_network_without_dropout(tmp_path: Path) -> None:
    run = start(tmp_path, tiny.recipe(tmp_path, tiny.STACKED))
    codes = run.autoencoder.eval().code(IMAGES).detach().numpy()
    np.testing.assert_allclose(run.moments[0].codes[:5], codes, rtol=1e-3, atol=1e-3)


def test_units_are_dropped_wherever_gradients_are_taken_and_nowhere_else(tmp_path: Path) -> None:
    run = start(tmp_path, tiny.recipe(tmp_path, tiny.STACKED))
    dropouts = [part for part in run.autoencoder.modules() if isinstance(part, nn.Dropout)]
    assert len(dropouts) == 2
    seen = set()
    for dropout in dropouts:
        dropout.register_forward_hook(
            lambda module, *_: seen.add((module.training, torch.is_inference_mode_enabled()))
        )
    run.finish()
    assert seen == {(True, False), (False, True)}


def test_a_map_that_is_laid_out_first_is_where_its_training_begins(tmp_path: Path) -> None:
    recipe = tiny.recipe(tmp_path, tiny.LAID_OUT)
    run = start(tmp_path, recipe)
    shipped = run.finish()
    first, *others = run.progress.history
    assert first["stage"] == "layout"
    assert {entry["stage"] for entry in others} == {"fit"}
    apart = weights(start(tmp_path, replace(recipe, layout=None)))
    assert not torch.equal(shipped.state_dict()["encoder.0.weight"], apart["encoder.0.weight"])


def test_a_run_over_a_codebook_takes_no_moments(tmp_path: Path) -> None:
    run = start(tmp_path, tiny.recipe(tmp_path, tiny.CODEBOOK))
    run.finish()
    run.take_last_moment()
    assert run.moments == []


@pytest.mark.parametrize("clip", [0.0, 5.0])
def test_a_gradient_is_no_longer_than_its_bound(
    tmp_path: Path, recipe: Recipe, clip: float
) -> None:
    norms = []

    def measure(optimiser: torch.optim.Optimizer, *_: object) -> None:
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        squares = [p.grad.square().sum() for p in parameters if p.grad is not None]
        norms.append(math.sqrt(sum(square.item() for square in squares)))

    training = replace(recipe.training, gradient_clip=clip)
    hook = register_optimizer_step_pre_hook(measure)
    start(tmp_path, replace(recipe, training=training)).finish()
    hook.remove()
    assert len(norms) == 5 * 3  # all stages
    assert (max(norms) <= 5.0 * 1.0001) == bool(clip)


def test_bounded_weights_stay_bounded_to_the_end(tmp_path: Path) -> None:
    recipe = tiny.recipe(tmp_path, tiny.STACKED)
    bounded = replace(recipe, decoder=replace(recipe.decoder, max_norm=0.3))
    longest = {}
    for name, each in (("free", replace(recipe, decoder=replace(recipe.decoder, max_norm=0.0))),
                       ("bounded", bounded)):  # fmt: skip
        decoder = start(tmp_path, each).finish().decoder
        linear = [module for module in decoder.modules() if isinstance(module, nn.Linear)]
        longest[name] = max(layer.weight.norm(dim=1).max().item() for layer in linear[:-1])
    assert longest["bounded"] <= 0.3 + 1e-6 < longest["free"]


def test_a_training_that_diverges_is_refused_with_the_remedy(
    tmp_path: Path, recipe: Recipe
) -> None:
    wild = replace(recipe, training=replace(recipe.training, learning_rate=1e25, warmup=0.0))
    with pytest.raises(RecipeError, match=r"diverged: in epoch 1 of stage fit .* Lower its lear"):
        start(tmp_path, wild).finish()


@pytest.fixture
def taught(tmp_path: Path) -> Recipe:
    return tiny.recipe(tmp_path, tiny.TAUGHT)


def test_a_taught_run_goes_on_from_the_map_of_its_teacher(
    tmp_path: Path, taught: Recipe, teacher: Checkpoint
) -> None:
    run = start(tmp_path, taught, teacher=teacher)
    assert torch.equal(run.autoencoder.code(IMAGES), teacher.autoencoder.code(IMAGES))
    before = {name: t.clone() for name, t in teacher.autoencoder.state_dict().items()}
    shipped = run.finish()
    history = run.progress.history
    assert [entry["stage"] for entry in history] == ["distil", "distil", "refit"]
    assert history[1]["kl_to_teacher"] < history[0]["kl_to_teacher"]
    assert not torch.equal(shipped.code(IMAGES), teacher.autoencoder.code(IMAGES))
    assert_identical(teacher.autoencoder.state_dict(), before)

    run.take_last_moment()
    assert [moment.epoch for moment in run.moments] == [0, 1, 2, 3, 5, 8]
    for mine, theirs in zip(run.moments, teacher.atlas.moments, strict=False):
        np.testing.assert_array_equal(mine.codes, theirs.codes)
    codes = shipped.code(IMAGES).detach().numpy()
    np.testing.assert_allclose(run.moments[-1].codes[:5], codes, rtol=1e-3, atol=1e-3)


def test_without_a_refit_a_taught_run_keeps_the_encoder_of_its_teacher(
    tmp_path: Path, taught: Recipe, teacher: Checkpoint
) -> None:
    shipped = start(tmp_path, replace(taught, refit=None), teacher=teacher).finish()
    assert_identical(shipped.encoder.state_dict(), teacher.autoencoder.encoder.state_dict())


def test_a_teacher_with_another_encoder_is_refused_with_both(
    tmp_path: Path, taught: Recipe, teacher: Checkpoint
) -> None:
    narrow = replace(taught, encoder=replace(taught.encoder, hidden=(16, 16)))
    with pytest.raises(RecipeError, match=r"encoder is .*16.* in small-taught but .*32.* in its"):
        start(tmp_path, narrow, teacher=teacher)


@pytest.mark.parametrize(
    ("field", "value"),
    [("likelihood", "gaussian"), ("posterior", "diagonal"), ("dataset", "fashion-mnist")],
)
def test_a_teacher_of_another_kind_is_refused(
    tmp_path: Path, taught: Recipe, teacher: Checkpoint, field: str, value: str
) -> None:
    card = replace(teacher.card, recipe={**teacher.card.recipe, field: value})
    with pytest.raises(RecipeError, match=rf"{field} is .* in its teacher small-vae; make them"):
        start(tmp_path, taught, teacher=replace(teacher, card=card))


def test_a_teacher_without_posteriors_is_refused(tmp_path: Path, taught: Recipe) -> None:
    run = start(tmp_path, tiny.recipe(tmp_path, tiny.AUTOENCODER))
    run.finish()
    with pytest.raises(RecipeError, match="small-ae is no VAE; it cannot teach small-taught"):
        start(tmp_path, taught, teacher=taught_by(run, tmp_path))
