"""Lessons: each takes its model, shows what it says, and is there only if its model is."""

import numpy as np
import pytest
from playwright.sync_api import expect

from app.settings import ROOT
from tests.browser.answers import Json, card_of, with_models
from tests.browser.conftest import Visitor


def test_a_lesson_is_there_if_its_model_is(visitor: Visitor) -> None:
    def leave_two(cards: list[Json]) -> None:
        cards[:] = [card_of(cards, "mnist-vae-2d"), card_of(cards, "mnist-ae-2d")]

    explorer = visitor.open("?panel=learn", before=with_models(leave_two))
    buttons = explorer.page.locator("#panel-learn button")
    shown = {button.get_attribute("data-model") for button in buttons.all() if button.is_visible()}
    assert shown == {"mnist-vae-2d", "mnist-ae-2d"}
    for heading in explorer.page.locator("#panel-learn h3").all():
        below = heading.locator("xpath=following-sibling::ul[1]")
        assert heading.is_visible() == below.is_visible()
        assert below.is_visible() == any(b.is_visible() for b in below.locator("button").all())


@pytest.mark.parametrize(
    ("name", "model"), [("Autoencoder", "mnist-ae-2d"), ("VAE", "mnist-vae-2d")]
)
def test_a_hole_is_farther_from_every_code_than_any_place_where_samples_fall(
    visitor: Visitor, name: str, model: str
) -> None:
    explorer = visitor.open("?panel=learn&model=mnist-vae-20d", reduced_motion="reduce")
    lesson = explorer.page.get_by_role("group", name="Fall into a hole")
    with explorer.page.expect_websocket():
        lesson.get_by_role("button", name=name, exact=True).click()
    assert explorer.model == model
    codes = np.array(explorer.codes())
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((300, 2))
    draws = draws[np.linalg.norm(draws, axis=1) < 1.9]
    if name == "Autoencoder":
        draws = codes.mean(0) + draws @ np.linalg.cholesky(np.cov(codes.T)).T
    room = [np.linalg.norm(codes - place, axis=1).min() for place in (explorer.latent, *draws)]
    cell = 0.1 * codes.std(0).max()  # as fine as the page looks
    assert room[0] > max(room[1:]) - cell
    assert room[0] > np.quantile(room[1:], 0.9)


def test_numbers_in_a_lesson_come_from_the_cards(visitor: Visitor) -> None:
    def measure(cards: list[Json]) -> None:
        for model, recognised in (("mnist-vae-2d", 0.9274), ("mnist-ae-2d", 0.412)):
            card_of(cards, model)["metrics"]["completeness"] = {"recognised": recognised}

    explorer = visitor.open("?panel=learn", before=with_models(measure))
    lesson = explorer.page.locator("li.lesson", has_text="Fall into a hole")
    expect(lesson.locator(".measured")).to_be_visible()
    expect(lesson.locator("data")).to_have_text(["41.2 %", "92.7 %"])


@pytest.mark.parametrize("known", [None, 0.5], ids=["neither", "one of two"])
def test_a_sentence_that_lacks_a_number_is_not_there(visitor: Visitor, known: float | None) -> None:
    def forget(cards: list[Json]) -> None:
        card_of(cards, "mnist-vae-2d")["metrics"].pop("completeness", None)
        card_of(cards, "mnist-ae-2d")["metrics"]["completeness"] = {"recognised": known}

    explorer = visitor.open("?panel=learn", before=with_models(forget))
    lesson = explorer.page.locator("li.lesson", has_text="Fall into a hole")
    expect(lesson).to_be_visible()
    expect(lesson.locator(".measured")).to_be_hidden()


def test_every_lesson_asks_for_a_model_that_ships_or_is_to_ship(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn")
    buttons = explorer.page.locator("#panel-learn button[data-model]").all()
    wanted = {button.get_attribute("data-model") or "" for button in buttons}
    recipes = {recipe.stem for recipe in (ROOT / "model" / "recipes").glob("*.toml")}
    assert wanted <= recipes
    ladder = explorer.page.get_by_role("group", name="Climb the ladder").locator("button")
    assert ladder.count() >= 5


def test_a_lesson_shows_the_same_image_as_two_models_tell_it(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn", reduced_motion="reduce")
    lesson = explorer.page.get_by_role("group", name="Give a code more numbers")
    for name, model in (("2", "mnist-vae-2d"), ("20", "mnist-vae-20d")):
        button = lesson.locator(f"[data-model={model}]")
        expect(button).to_contain_text(name)
        button.click()
        explorer.page.locator(f"#choose-model[data-model={model}]").wait_for()
        expect(explorer.page.locator("#readout dt").first).to_have_text(
            "z₁" if name == "2" else "axis 1"
        )
        explorer.expect_image_of(explorer.codes()[1])


def test_a_sentence_about_numbers_below_it_is_not_there_without_them(visitor: Visitor) -> None:
    def forget(cards: list[Json]) -> None:
        for card in cards:
            card["metrics"] = {}

    explorer = visitor.open("?panel=learn", before=with_models(forget))
    panel = explorer.page.locator("#panel-learn")
    expect(panel.locator("li.lesson", has_text="Climb the ladder")).to_be_visible()
    assert [one for one in panel.locator(".measured").all() if one.is_visible()] == []


def test_the_image_stays_in_sight_while_lessons_are_read(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn", viewport={"width": 1440, "height": 900})
    explorer.page.locator("#panel-learn li").last.scroll_into_view_if_needed()
    expect(explorer.page.locator("#decoded")).to_be_in_viewport(ratio=1)
    expect(explorer.page.locator("#tab-learn")).to_be_in_viewport(ratio=1)


def test_a_lesson_is_let_go_when_another_model_is_chosen(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn")
    lesson = explorer.page.locator("button.lesson[data-show=middle][data-model=mnist-vae-2d]")
    lesson.click()
    expect(lesson).to_have_attribute("aria-pressed", "true")
    explorer.expect_image_of([0, 0])
    explorer.choose("mnist-ae-2d")
    expect(lesson).to_have_attribute("aria-pressed", "false")
