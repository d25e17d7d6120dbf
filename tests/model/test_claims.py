"""docs/claims.md: each figure is that of a card, or is computed here."""

import json
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from model.card import Card
from model.checkpoint import read_checkpoint
from model.data import datasets
from model.evaluation.classifier import load_classifier
from model.evaluation.report import SEEDS
from model.evaluation.space import mean_images
from model.measures import MEASURES
from model.recipes.recipe import Recipe
from model.vae.autoencoder import VariationalAutoencoder

ROOT = Path(__file__).parents[2]
CHECKPOINTS = ROOT / "checkpoints"
PAGE = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][2:]
OF_CARDS = [row for row in ROWS if re.fullmatch(r"`[a-z0-9-]+` `[a-z]+\.[a-z_0-9]+`", row[2])]
COMPUTED = [row for row in ROWS if row not in OF_CARDS]
LEARN = (ROOT / "templates" / "panels" / "learn.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", OF_CARDS, ids=lambda row: row[2])
def test_a_figure_is_that_of_the_card(row: list[str]) -> None:
    model, key = re.findall(r"`([^`]+)`", row[2])
    block, name = key.split(".")
    digits = next(measure.digits for measure in MEASURES if measure.key == key)
    assert row[3] == f"{Card.load(CHECKPOINTS / model).metrics[block][name]:,.{digits}f}"


def test_what_no_card_has_is_computed_by_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    assert len(COMPUTED) >= 8
    for row in COMPUTED:
        assert f"def {row[2].strip('`')}(" in tests, row


def test_every_measure_in_a_lesson_is_among_the_claims_or_below_a_button() -> None:
    """Models in the template are variables, so the keys are held against each other."""
    keys = set(re.findall(r"measured\([^,]+, '([a-z_.]+)'\)", LEARN))
    claimed = {re.findall(r"`([^`]+)`", row[2])[1] for row in OF_CARDS}
    assert keys <= claimed


@pytest.mark.parametrize("dataset", ["mnist", "fashion"])
def test_the_halves_of_a_fair_pair_differ_in_the_objective_alone(dataset: str) -> None:
    halves = [Recipe.load(f"{dataset}-{name}").as_dict() for name in ("ae-2d", "vae-2d-plain")]
    differ = {key for key in halves[0] if halves[0][key] != halves[1][key]}
    assert differ == {"id", "title", "summary", "family", "posterior"}
    assert halves[1]["beta"] == 1
    assert halves[1]["training"]["kl_warmup"] == 0
    assert halves[1]["refinements"] == 0
    assert halves[1]["layout"] is None


def of_seeds(model: str, key: str) -> list[float]:
    """Return a measure of a model of the pair, for each seed that it was trained from."""
    block, name = key.split(".")
    facts = json.loads(SEEDS.read_text(encoding="utf-8"))
    found = sorted(
        (one["seed"], one["metrics"][block][name]) for one in facts if one["id"] == model
    )
    assert [seed for seed, _ in found] == [1, 2, 3]
    return [value for _, value in found]


def test_other_seeds_give_the_shares_that_the_lesson_names() -> None:
    shares = [
        sorted(round(100 * share) for share in of_seeds(model, "completeness.standard_recognised"))
        for model in ("mnist-ae-2d", "mnist-vae-2d-plain")
    ]
    named = ("{}, {} and {} %".format(*share) for share in shares)
    assert "share from N(0, I) is {}, the VAE’s {}.".format(*named) in LEARN


def test_other_seeds_tell_which_differences_within_the_pair_last() -> None:
    pair = ("mnist-ae-2d", "mnist-vae-2d-plain")
    ae, vae = (of_seeds(model, "continuity.label_flips") for model in pair)
    assert {one < other for one, other in zip(ae, vae, strict=True)} == {True, False}
    ae, vae = (of_seeds(model, "continuity.recognised_on_lines") for model in pair)
    assert min(ae) > max(vae)


def test_the_walk_of_the_lesson_crosses_strangers_in_the_autoencoder_alone() -> None:
    found = re.search(r"set walk = 'walk-(\d+)-(\d+)'", LEARN)
    assert found
    start, end = (int(index) for index in found.groups())
    labels = datasets.test_set("mnist").labels
    ends = (labels[start], labels[end])
    assert ends == (0, 7)
    classifier = load_classifier("mnist")
    strangers = []
    for model in ("mnist-ae-2d", "mnist-vae-2d-plain"):
        checkpoint = read_checkpoint(CHECKPOINTS / model)
        code = torch.from_numpy(checkpoint.atlas.codes).double()
        steps = torch.linspace(0, 1, 67, dtype=torch.float64)[:, None]
        way = torch.lerp(code[start], code[end], steps)
        sure, answer = classifier.probabilities(mean_images(checkpoint.autoencoder, way)).max(-1)
        strangers.append(set(answer[sure >= 0.9].tolist()) - set(ends))
    assert len(strangers[0]) >= 3
    assert strangers[1] == set()


def test_what_there_is_to_tell_of_ten_thousand_images() -> None:
    assert f"ln 10,000 = {math.log(10_000):.1f}" in LEARN
    for path in CHECKPOINTS.glob("*/card.json"):
        latents = Card.load(path.parent).metrics.get("latents")
        assert latents is None or latents["mutual_information"] <= math.log(10_000) + 1e-3


def test_the_two_parts_of_the_kl_add_up() -> None:
    for path in CHECKPOINTS.glob("*/card.json"):
        metrics = Card.load(path.parent).metrics
        if latents := metrics.get("latents"):
            parts = latents["mutual_information"] + latents["marginal_kl"]
            assert parts == pytest.approx(metrics["grey"]["kl"], abs=5e-3), path.parent.name


def test_the_three_likelihoods_share_a_network_and_not_their_training() -> None:
    recipes = [
        Recipe.load(f"mnist-vae-2d-{name}")
        for name in ("beta-1", "gaussian", "continuous-bernoulli")
    ]
    assert len({(recipe.encoder, recipe.decoder) for recipe in recipes}) == 1
    assert [recipe.training.epochs for recipe in recipes] == [40, 14, 14]
    assert [recipe.training.binarise for recipe in recipes] == [True, False, False]
    assert "40 epochs on pixels drawn black or white, the other two for 14 on grey ones" in LEARN


def test_the_kl_of_the_codebook_is_that_of_a_uniform_prior() -> None:
    card = Card.load(CHECKPOINTS / "mnist-vqvae")
    kl = 49 * math.log(card.recipe["codebook"]["entries"])
    assert card.metrics["grey"]["kl"] == pytest.approx(kl, abs=1e-3)
    assert f"49 ln 64 = {kl:.1f}" in LEARN


def test_the_circles_of_the_prior_hold_what_the_layer_says() -> None:
    """In two dimensions a draw falls beyond r with probability exp(-r^2 / 2)."""
    beyond = [math.exp(-(r**2) / 2) for r in (0, 1, 2, 3)]
    parts = [round(100 * (a - b)) for a, b in pairwise(beyond)]
    text = (ROOT / "static" / "js" / "map-layers.js").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "Circles of the prior" in line)
    assert [int(number) for number in re.findall(r"(\d+) %", line)] == parts


def test_the_most_frequent_class_is_as_frequent_as_the_measure_says() -> None:
    about = next(m.about for m in MEASURES if m.key == "codes.linear_accuracy")
    for dataset, words in (("mnist", "0.114 of the digits"), ("fashion-mnist", "0.1 of the")):
        labels = datasets.test_set(dataset).labels
        share = np.bincount(labels).max() / len(labels)
        assert float(words.split()[0]) == pytest.approx(share, abs=6e-4)
        assert words in about


def test_the_elbo_of_one_image_has_a_sampling_error_of_tenths_of_a_nat() -> None:
    """The standard deviation of one draw, over the root of the 32 that an encode takes."""
    checkpoint = read_checkpoint(CHECKPOINTS / "mnist-vae-2d")
    vae = checkpoint.autoencoder
    assert isinstance(vae, VariationalAutoencoder)
    images = datasets.test_set("mnist").images[:20].reshape(20, -1) / np.float32(255)
    image = torch.from_numpy(images)
    rng = torch.Generator().manual_seed(3)
    with torch.inference_mode():
        z = vae.posterior(image).reparameterise(torch.randn(200, 20, 2, generator=rng))
        log_prob = vae.likelihood.log_prob(image.repeat(200, 1), vae.decode(z.flatten(0, 1)))
    error = log_prob.view(200, 20).std(0) / math.sqrt(32)
    assert 0.1 < error.median() < 1


def test_the_headline_table_has_the_figures_of_the_cards() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for model in ("mnist-vae-2d", "mnist-vae-2d-best"):
        metrics = Card.load(CHECKPOINTS / model).metrics
        likelihood, binarised = metrics["likelihood"], metrics["binarised"]
        figures = (
            *(likelihood["exact"], binarised["encoder_elbo"]),
            *(likelihood["encoder_importance_weighted"], binarised["elbo"]),
            likelihood["importance_weighted"],
        )
        cells = " | ".join(f"{figure:.1f}" for figure in figures)
        row = next(
            line
            for line in readme.splitlines()
            if re.match(rf"\| `{model}`[: ]", line) and "-12" in line
        )
        assert row.endswith(f"{cells} |")
    reference = json.loads((ROOT / "model/evaluation/reference.json").read_text(encoding="utf-8"))
    for key in ("elbo", "importance_weighted"):
        assert f"{reference['published'][key]:.1f}" in readme
