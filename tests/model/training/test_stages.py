"""Second sources: the mathematics of each loss in another form, and what the stages promise."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.distributions import Bernoulli

from model.data import datasets
from model.recipes.recipe import Recipe
from model.recipes.tables import Codebook
from model.training.stages import Fit, Images, Refit
from model.vae.autoencoder import (
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
    build_autoencoder,
)
from model.vae.objective import sampled_elbo
from tests.model import tiny

GREY = torch.randint(256, (100, 784), generator=torch.Generator().manual_seed(0)).byte()
DIGITS = torch.tensor(datasets.test_set("mnist").images[:100].reshape(-1, 784))


def images(*, binarise: bool = False) -> Images:
    return Images(GREY, GREY[:10], binarise)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return tiny.recipe(tmp_path)


@pytest.fixture
def vae(recipe: Recipe) -> VariationalAutoencoder:
    vae = built(recipe)
    assert isinstance(vae, VariationalAutoencoder)
    return vae


def built(recipe: Recipe) -> Autoencoder:
    torch.manual_seed(0)
    return build_autoencoder(recipe)


def rows(batches: list[Tensor]) -> list[bytes]:
    return [row.numpy().tobytes() for batch in batches for row in batch]


def test_a_pass_over_the_images_shows_none_twice_and_leaves_out_less_than_a_batch() -> None:
    batches = list(images().batches(30))
    assert [len(batch) for batch in batches] == [30, 30, 30]
    known = {row.numpy().tobytes() for row in GREY.float() / 255}
    assert len(set(rows(batches))) == 90
    assert set(rows(batches)) <= known


def test_each_pass_goes_in_an_order_of_its_own_that_the_seed_decides() -> None:
    torch.manual_seed(1)
    once, again = (rows(list(images().batches(50))) for _ in range(2))
    torch.manual_seed(1)
    assert rows(list(images().batches(50))) == once
    assert again != once


def test_binarised_pixels_are_drawn_afresh_with_their_grey_levels_as_odds() -> None:
    torch.manual_seed(0)
    draws = torch.stack([images(binarise=True).intensities(GREY[:20]) for _ in range(200)])
    assert ((draws == 0) | (draws == 1)).all()
    worst_of_16_thousand = 5 * 0.5 / 200**0.5  # standard errors
    torch.testing.assert_close(draws.mean(0), GREY[:20] / 255, rtol=0, atol=worst_of_16_thousand)


def test_the_kl_weighs_a_tenth_at_first_and_all_of_beta_after_its_warm_up(
    recipe: Recipe, vae: VariationalAutoencoder
) -> None:
    recipe = replace(recipe, beta=3.0)  # 3 epochs of 2 batches, half of them to warm up
    fit = Fit(vae, images(), recipe)
    for epoch, weights in ((0, [0.1, 0.4]), (1, [0.7, 1.0]), (2, [1.0, 1.0])):
        torch.manual_seed(epoch)
        losses = [loss.item() for loss in fit.losses(epoch)]
        torch.manual_seed(epoch)
        for loss, weight, image in zip(losses, weights, images().batches(50), strict=True):
            noise = torch.randn(50, 2)
            bound = sampled_elbo(vae, image, noise)
            expected = (3.0 * weight * bound.kl - bound.reconstruction).mean()
            assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_what_is_followed_is_the_true_bound_whatever_beta_trains(
    recipe: Recipe, vae: VariationalAutoencoder
) -> None:
    plain = Fit(vae, images(), recipe).follow()
    assert plain == Fit(vae, images(), replace(recipe, beta=7.0)).follow()
    assert plain["elbo"] == pytest.approx(plain["reconstruction"] - plain["kl"])
    with torch.no_grad():
        kl = vae.posterior(GREY[:10].float() / 255).kl_to_prior().sum(-1).mean()
    assert plain["kl"] == pytest.approx(kl.item(), rel=1e-5)


def test_refitting_weighs_the_kl_in_full_from_its_first_step(
    recipe: Recipe, vae: VariationalAutoencoder
) -> None:
    refit = Refit(vae, images(), recipe)
    assert refit.trained is vae.encoder
    torch.manual_seed(3)
    loss = next(iter(refit.losses(0)))
    torch.manual_seed(3)
    image = next(iter(images().batches(50)))
    bound = sampled_elbo(vae, image, torch.randn(50, 2))
    assert loss.item() == pytest.approx(-bound.total.mean().item(), rel=1e-5)


def copying(folder: Path, **training: object) -> tuple[Recipe, Autoencoder]:
    """An autoencoder whose codes can be 0, with such a table of training."""
    recipe = tiny.recipe(folder, tiny.STACKED)
    table = replace(recipe.training, **{"noise": 0.0, "sparsity": 0.0, **training})  # type: ignore[arg-type]
    encoder = replace(recipe.encoder, dropout=0.0)
    recipe = replace(recipe, encoder=encoder, training=table, pretraining=None)
    return recipe, built(recipe)


@pytest.mark.parametrize("noise", [0.05, 0.7])
def test_a_denoising_encoder_sees_noise_but_the_target_is_clean(
    tmp_path: Path, noise: float
) -> None:
    recipe, autoencoder = copying(tmp_path, noise=noise)
    seen: list[Tensor] = []
    drawn: list[Tensor] = []
    autoencoder.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    autoencoder.decoder.register_forward_hook(lambda _, inputs, output: drawn.append(output))
    grey = torch.full((400, 784), 128).byte()  # all alike, so that their order has no say
    torch.manual_seed(0)
    losses = [loss.item() for loss in Fit(autoencoder, Images(grey, grey, False), recipe).losses(0)]

    clean = 128 / 255
    noisy = torch.cat(seen)
    assert noisy.mean().item() == pytest.approx(clean, abs=0.01)
    assert 0 <= noisy.min() < noisy.max() <= 1
    # The median is not cut off at 0 and 1: of N(0, 0.7^2) it is 0.47.
    spread = (noisy - clean).abs().median(dim=1).values / stats.norm.ppf(0.75)
    assert stats.kstest(spread / noise, "uniform").pvalue > 0.001
    for loss, output in zip(losses, drawn, strict=True):
        p = Bernoulli(logits=output)
        ink, none = (p.log_prob(torch.full((784,), x)) for x in (1.0, 0.0))  # type: ignore[no-untyped-call]
        expected = -(clean * ink + (1 - clean) * none).sum(-1).mean()
        assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_noise_is_for_training_and_what_is_followed_is_clean(tmp_path: Path) -> None:
    noisy, autoencoder = copying(tmp_path, noise=0.7, sparsity=3.0)
    plain = replace(noisy, training=replace(noisy.training, noise=0.0, sparsity=0.0))
    followed = Fit(autoencoder, images(), noisy).follow()
    assert followed == Fit(autoencoder, images(), plain).follow()


def test_each_unit_of_a_code_costs_its_price(tmp_path: Path) -> None:
    plain, autoencoder = copying(tmp_path)
    priced = replace(plain, training=replace(plain.training, sparsity=0.7))
    losses = []
    for recipe in (plain, priced):
        torch.manual_seed(4)
        losses.append(next(iter(Fit(autoencoder, images(), recipe).losses(0))).item())
    torch.manual_seed(4)
    code = autoencoder.code(next(iter(images().batches(50)))).tolist()
    price = 0.7 * sum(abs(number) for row in code for number in row) / 50
    assert price > 0.01
    assert losses[1] - losses[0] == pytest.approx(price, abs=2e-4)


def test_the_price_of_a_code_rises_from_0_over_its_share_of_the_steps(tmp_path: Path) -> None:
    plain, autoencoder = copying(tmp_path, epochs=4)
    rising = replace(plain, training=replace(plain.training, sparsity=0.7, sparsity_warmup=0.5))
    steps = Fit(autoencoder, images(), plain).steps_per_epoch
    shares = []
    for epoch in range(4):
        priced, free = (Fit(autoencoder, images(), recipe) for recipe in (rising, plain))
        for step in range(steps):
            losses = []
            for fit in (priced, free):
                torch.manual_seed(4)
                losses.append(list(fit.losses(epoch))[step].item())
            torch.manual_seed(4)
            code = autoencoder.code(list(images().batches(50))[step])
            shares.append((losses[0] - losses[1]) / (0.7 * code.abs().sum(1).mean().item()))
    expected = [min(1.0, step / (2 * steps)) for step in range(4 * steps)]
    assert shares == pytest.approx(expected, abs=1e-3)


def test_every_number_of_a_sparse_code_begins_above_0(tmp_path: Path) -> None:
    """One that is 0 for every image has no gradient, and would stay dead."""
    _, autoencoder = copying(tmp_path)
    assert autoencoder.code(DIGITS.float() / 255).min() > 0.3


def test_a_price_on_the_code_makes_more_of_its_numbers_0(tmp_path: Path) -> None:
    """On digits, for noise there is nothing to learn: every number of the code soon is 0."""
    digits = Images(DIGITS, DIGITS[:10], False)
    zeros = []
    for sparsity in (0.0, 2.0):
        recipe, _ = copying(tmp_path, sparsity=sparsity)
        recipe = replace(recipe, latent_dim=12)
        autoencoder = built(recipe)
        fit = Fit(autoencoder, digits, recipe)
        optimiser = torch.optim.Adam(autoencoder.parameters(), lr=1e-3)
        for epoch in range(60):
            for loss in fit.losses(epoch):
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
        code = autoencoder.code(DIGITS.float() / 255)
        zeros.append((code == 0).float().mean().item())
    assert zeros[0] + 0.1 < zeros[1] < 1


def quantised(folder: Path, commitment: float) -> tuple[Fit, VectorQuantisedAutoencoder]:
    recipe = tiny.recipe(folder, tiny.CODEBOOK)
    autoencoder = built(recipe)
    assert isinstance(autoencoder, VectorQuantisedAutoencoder)
    table = Codebook(entries=8, dimensions=3, commitment=commitment)
    with torch.no_grad():
        vectors = autoencoder.vectors(GREY[:8].float() / 255)
        autoencoder.codebook_EC.copy_(vectors[:, 24] + 0.05)  # near enough that all are in use
    return Fit(autoencoder, images(), replace(recipe, codebook=table)), autoencoder


@pytest.mark.parametrize("commitment", [1e-12, 0.25, 2.0])
def test_the_encoder_of_a_codebook_takes_the_gradient_of_the_decoder_and_its_commitment(
    tmp_path: Path, commitment: float
) -> None:
    """Van den Oord et al. 2017, equation 3, with each of its three gradients by itself."""
    fit, vqvae = quantised(tmp_path, commitment)
    said: list[Tensor] = []
    read: list[Tensor] = []

    def remember(kept: list[Tensor], tensor: Tensor) -> None:
        tensor.retain_grad()
        kept.append(tensor)

    vqvae.encoder.register_forward_hook(lambda _, inputs, output: remember(said, output))
    vqvae.decoder.register_forward_pre_hook(lambda _, inputs: remember(read, inputs[0]))
    torch.manual_seed(0)
    torch.autograd.backward(next(iter(fit.losses(0))))
    assert said[0].grad is not None
    assert read[0].grad is not None
    assert vqvae.codebook_EC.grad is not None

    vector = said[0].detach().reshape(50, 3, 49)
    entry = read[0].detach().reshape(50, 3, 49)
    known = {tuple(round(x, 4) for x in row) for row in vqvae.codebook_EC.tolist()}
    places = entry.permute(0, 2, 1).flatten(0, 1)
    assert {tuple(round(x, 4) for x in row) for row in places.tolist()} <= known
    pull = 2 * commitment * (vector - entry).flatten(1) / 50
    torch.testing.assert_close(said[0].grad, read[0].grad + pull, rtol=1e-4, atol=1e-7)
    assert read[0].grad.abs().max() > 0

    expected = torch.zeros(8, 3)
    for row, place in zip(vector.permute(0, 2, 1).flatten(0, 1), places, strict=True):
        index = int((vqvae.codebook_EC.detach() - place).square().sum(-1).argmin())
        expected[index] += 2 * (place - row) / 50
    torch.testing.assert_close(vqvae.codebook_EC.grad, expected, rtol=1e-3, atol=1e-5)


def test_after_each_step_the_weights_into_a_hidden_unit_are_no_longer_than_their_bound(
    recipe: Recipe,
) -> None:
    decoder = replace(recipe.decoder, hidden=(16, 12), max_norm=0.4)
    bounded = replace(recipe, decoder=decoder)
    vae = built(bounded)
    before = {name: tensor.clone() for name, tensor in vae.state_dict().items()}
    Fit(vae, images(), bounded).constrain()
    linear = [module for module in vae.decoder.modules() if isinstance(module, nn.Linear)]
    for hidden in linear[:-1]:
        assert hidden.weight.norm(dim=1).max().item() <= 0.4 + 1e-6
    after = vae.state_dict()
    changed = {name for name, tensor in before.items() if not torch.equal(after[name], tensor)}
    assert changed == {"decoder.1.weight", "decoder.3.weight"}

    Refit(vae, images(), bounded).constrain()  # what it does not train, it does not touch
    assert all(torch.equal(vae.state_dict()[name], tensor) for name, tensor in after.items())
