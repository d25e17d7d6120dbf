"""Second sources: the layers' own outputs, and the gradients that reach them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli

from model.data import datasets
from model.recipes.recipe import Recipe
from model.training.pretraining import Pretrain
from model.training.stages import Images
from model.vae.autoencoder import Autoencoder, build_autoencoder
from tests.model import tiny

SHIPPED = torch.tensor(datasets.test_set("mnist").images[:150].reshape(-1, 784))
IMAGES = Images(SHIPPED[:100], SHIPPED[100:], False)
LAYERS = (("encoder.0", "decoder.4"), ("encoder.3", "decoder.2"), ("encoder.6", "decoder.0"))
"""784-24-12-3, and back; between them are activations, and dropout in the encoder."""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    recipe = tiny.recipe(tmp_path, tiny.STACKED)
    assert recipe.pretraining is not None
    return replace(recipe, pretraining=replace(recipe.pretraining, epochs=2))


@pytest.fixture
def stack(recipe: Recipe) -> Autoencoder:
    torch.manual_seed(0)
    return build_autoencoder(recipe)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_in_its_epochs_a_layer_and_its_mirror_learn_and_no_other(
    recipe: Recipe, stack: Autoencoder, layer: int
) -> None:
    stage = Pretrain(stack, IMAGES, recipe)
    assert stage.epochs == 6
    for epoch in (2 * layer, 2 * layer + 1):
        stack.zero_grad()
        torch.manual_seed(epoch)
        torch.autograd.backward(next(iter(stage.losses(epoch))))
        learning = {
            name.rpartition(".")[0]
            for name, parameter in stack.named_parameters()
            if parameter.grad is not None
        }
        assert learning == set(LAYERS[layer])


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_layer_sees_its_input_with_a_share_of_it_put_out_and_is_asked_for_all_of_it(
    recipe: Recipe, stack: Autoencoder, layer: int
) -> None:
    stack.eval()  # without dropout
    named = dict(stack.named_modules())
    seen: list[Tensor] = []
    said: list[Tensor] = []
    named[LAYERS[layer][0]].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    named[LAYERS[layer][1]].register_forward_hook(lambda _, inputs, output: said.append(output))
    grey = torch.full((100, 784), 200).byte()  # all alike, so that their order has no say
    torch.manual_seed(0)
    stage = Pretrain(stack, Images(grey, grey, False), recipe)
    loss = next(iter(stage.losses(2 * layer))).item()

    clean = torch.full((50, 784), 200 / 255)
    for name, _ in LAYERS[:layer]:
        clean = named[name](clean).relu()
    there = clean > 0
    share = (seen[0][there] == 0).float().mean().item()
    assert share == pytest.approx(0.2, abs=5 * (0.16 / int(there.sum())) ** 0.5)
    kept = seen[0] != 0
    torch.testing.assert_close(seen[0][kept], clean[kept])
    if layer == 0:
        p = Bernoulli(logits=said[0])
        ink, none = (p.log_prob(torch.full((784,), x)) for x in (1.0, 0.0))  # type: ignore[no-untyped-call]
        expected = -(clean * ink + (1 - clean) * none).sum(-1).mean()
    else:
        expected = (said[0].relu() - clean).square().sum(-1).mean()
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_every_layer_gets_better_at_its_task(recipe: Recipe, stack: Autoencoder) -> None:
    stage = Pretrain(stack, IMAGES, recipe)
    before = stage.follow()
    assert list(before) == [f"loss_of_layer_{n}" for n in (1, 2, 3)]
    optimiser = torch.optim.Adam(stack.parameters(), lr=1e-2)
    torch.manual_seed(0)
    for layer in (0, 1, 2):
        start = stage.follow()[f"loss_of_layer_{layer + 1}"]
        for _ in range(20):
            for loss in stage.losses(2 * layer):
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
        assert stage.follow()[f"loss_of_layer_{layer + 1}"] < 0.9 * start


def test_batches_are_whole_and_an_epoch_has_as_many_steps_as_it_says(
    recipe: Recipe, stack: Autoencoder
) -> None:
    stage = Pretrain(stack, IMAGES, recipe)
    assert isinstance(stage.trained, nn.Module)
    assert len(list(stage.losses(0))) == stage.steps_per_epoch == 2
