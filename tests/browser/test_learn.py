"""Lessons: each takes its model, shows what it says, and is there only if its model is."""

import random
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from app.settings import ROOT
from model.data import datasets
from tests.browser.answers import Json, card_of, with_models
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tests.waiting import until

LESSONS = "#panel-learn .lessons:not(#own-lessons)"
"""Those on the models that ship."""


def test_a_lesson_is_there_if_its_model_is(visitor: Visitor) -> None:
    def leave_two(cards: list[Json]) -> None:
        cards[:] = [card_of(cards, "mnist-vae-2d"), card_of(cards, "mnist-ae-2d")]

    explorer = visitor.open("?panel=learn", before=with_models(leave_two))
    buttons = explorer.page.locator("#panel-learn button[data-lesson]")
    shown = {button.get_attribute("data-model") for button in buttons.all() if button.is_visible()}
    assert shown == {"mnist-vae-2d", "mnist-ae-2d"}
    for heading in explorer.page.locator("#panel-learn h3").all():
        below = heading.locator("xpath=following-sibling::ul[1]")
        assert heading.is_visible() == below.is_visible()
        assert below.is_visible() == any(b.is_visible() for b in below.locator("button").all())


def test_a_hole_has_codes_all_around_it_and_more_room_than_nearly_all_draws(
    visitor: Visitor,
) -> None:
    explorer = visitor.open("?panel=learn&model=mnist-vae-20d", reduced_motion="reduce")
    for lesson in ("hole-ae", "hole-vae"):
        with explorer.page.expect_websocket():
            press(explorer, lesson)
        codes = np.array(explorer.codes())
        rng = np.random.default_rng(0)
        draws = rng.standard_normal((300, 2))
        if lesson == "hole-ae":
            draws = codes.mean(0) + draws @ np.linalg.cholesky(np.cov(codes.T)).T
        inside = [draw for draw in draws if is_enclosed(codes, draw)]
        room = [np.linalg.norm(codes - place, axis=1).min() for place in (explorer.latent, *inside)]
        assert is_enclosed(codes, np.array(explorer.latent))
        cell = 0.1 * codes.std(0).max()  # as fine as the page looks
        assert room[0] > max(room[1:]) - cell


def test_the_place_in_the_vae_lies_amid_the_images_around_the_hole_of_the_autoencoder(
    visitor: Visitor,
) -> None:
    explorer = visitor.open("?panel=learn&model=mnist-vae-20d", reduced_motion="reduce")
    with explorer.page.expect_websocket():
        press(explorer, "hole-ae")
    codes, hole = np.array(explorer.codes()), np.array(explorer.latent)
    room = np.linalg.norm(codes - hole, axis=1)
    directions = sectors(codes, hole)
    around = [int(np.where(directions == one, room, np.inf).argmin()) for one in range(8)]
    shown = explorer.page.locator("[data-lesson=hole-between]").get_attribute("data-show")
    assert shown == "-".join(map(str, ("between", *around)))
    with explorer.page.expect_websocket():
        press(explorer, "hole-between")
    others, place = np.array(explorer.codes()), np.array(explorer.latent)
    assert place == pytest.approx(others[around].mean(0), abs=1e-5)
    room_there = np.linalg.norm(others - place, axis=1)
    assert room_there.min() / others.std() < room.min() / codes.std()


def is_enclosed(codes: np.ndarray, place: np.ndarray) -> bool:
    """Whether a hundredth of the codes lies in each of eight directions."""
    return bool(np.bincount(sectors(codes, place), minlength=8).min() >= 0.01 * len(codes))


def sectors(codes: np.ndarray, place: np.ndarray) -> np.ndarray:
    """In which of eight directions from a place each code lies."""
    across, up = (codes - place).T
    turns = np.arctan2(up, across) / (2 * np.pi) + 0.5
    directions: np.ndarray = np.floor(8 * turns).astype(int) % 8
    return directions


def test_numbers_in_a_lesson_come_from_the_cards(visitor: Visitor) -> None:
    def measure(cards: list[Json]) -> None:
        for model, recognised in (("mnist-vae-2d-plain", 0.9274), ("mnist-ae-2d", 0.412)):
            card_of(cards, model)["metrics"]["completeness"] = {"uncovered_prior_mass": recognised}

    explorer = visitor.open("?panel=learn", before=with_models(measure))
    lesson = explorer.page.locator(f"{LESSONS} li.lesson", has_text="Fall into a hole")
    expect(lesson.locator(".measured")).to_be_visible()
    expect(lesson.locator("data")).to_have_text(["41.2 %", "92.7 %"])


def test_a_sentence_that_lacks_one_of_its_numbers_is_not_there(visitor: Visitor) -> None:
    def forget(cards: list[Json]) -> None:
        card_of(cards, "mnist-vae-2d-plain")["metrics"].pop("completeness", None)
        card_of(cards, "mnist-ae-2d")["metrics"]["completeness"] = {"uncovered_prior_mass": 0.5}

    explorer = visitor.open("?panel=learn", before=with_models(forget))
    lesson = explorer.page.locator(f"{LESSONS} li.lesson", has_text="Fall into a hole")
    expect(lesson).to_be_visible()
    expect(lesson.locator(".measured")).to_be_hidden()


def test_every_lesson_asks_for_a_model_that_ships_or_is_to_ship(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn")
    buttons = explorer.page.locator(f"{LESSONS} button").all()
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
    panel = explorer.page.locator(LESSONS)
    expect(panel.locator("li.lesson", has_text="Climb the ladder")).to_be_visible()
    assert [one for one in panel.locator(".measured").all() if one.is_visible()] == []


def test_the_image_stays_in_sight_while_lessons_are_read(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn", viewport={"width": 1440, "height": 900})
    explorer.page.locator("#panel-learn li").last.scroll_into_view_if_needed()
    expect(explorer.page.locator("#decoded")).to_be_in_viewport(ratio=1)
    expect(explorer.page.locator("#tab-learn")).to_be_in_viewport(ratio=1)


def test_a_lesson_is_let_go_when_another_model_is_chosen(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn")
    lesson = explorer.page.locator("button.lesson[data-lesson=middle]")
    lesson.click()
    expect(lesson).to_have_attribute("aria-pressed", "true")
    explorer.expect_image_of([0, 0])
    explorer.choose("mnist-ae-2d")
    expect(lesson).to_have_attribute("aria-pressed", "false")


SCENE = """() => ({
    url: decodeURIComponent(location.search),
    lessons: [...document.querySelectorAll('[data-lesson][aria-pressed=true]')].map(
        ({ dataset }) => dataset.lesson),
    walks: document.querySelector('#play').textContent,
    hasWalk: !document.querySelector('#play').disabled,
    hasImage: !document.querySelector('#encoding').hidden,
    draws: [...document.querySelectorAll('canvas.sample-layer:not([hidden])')].map(
        ({ dataset }) => dataset.samples),
    second: document.querySelector('#second-map')?.dataset.model ?? '',
    seam: !document.querySelector('#seam').hidden,
    isLoading: 'pending' in document.querySelector('#choose-model').dataset,
})"""
"""What a lesson sets and what it might leave behind; the URL has model, point, layers and more."""


def press(explorer: Explorer, lesson: str) -> None:
    """Press the button of a lesson."""
    explorer.page.locator("#tab-learn").click()
    explorer.page.locator(f"[data-lesson='{lesson}']").click()


AT_REST = f"""async () => {{
    const scene = {SCENE};
    const text = () => JSON.stringify(scene());
    for (let last = text(), same = 0; same < 45; same++) {{
        await new Promise(requestAnimationFrame);
        if (text() !== last && !scene().url.includes('walk=')) same = 0;
        last = text();
    }}
    return scene();
}}"""


def scene(explorer: Explorer) -> dict[str, Any]:
    """The state once it is whole and at rest; of a walk, without the place it is at."""

    def found() -> dict[str, Any]:
        state: dict[str, Any] = explorer.page.evaluate(AT_REST)
        return state if is_whole(state) else {}

    state = until(found, "a whole scene", seconds=120)
    if "walk=" in state["url"]:
        parts = state["url"].split("&")
        state["url"] = "&".join(part for part in parts if not part.startswith("z="))
        state.pop("walks")
    return state


def is_whole(found: dict[str, Any]) -> bool:
    """Whether all that the URL names has come, however busy the machine is."""
    url = found["url"]
    return (
        bool(found["lessons"])
        and f"lesson={found['lessons'][0]}" in url
        and not found["isLoading"]
        and ("panel=draw" in url) == ("image=" in url) == found["hasImage"]
        and ("walk=" in url) == found["hasWalk"]
        and (found["draws"] == ["60", "60"] if "draws=" in url else found["draws"] == [])
    )


def test_every_lesson_shows_the_same_whatever_came_before_it(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn", reduced_motion="reduce")
    buttons = explorer.page.locator(f"{LESSONS} button[data-lesson]").all()
    lessons = [button.get_attribute("data-lesson") or "" for button in buttons]
    assert len(set(lessons)) == len(lessons) > 35
    # It sets no more than a model and a point, and finds the page fresh: what any other lesson
    # leaves behind is there when its turn comes again.
    lessons.sort(key=lambda lesson: lesson != "middle")
    first = {}
    for lesson in lessons:
        press(explorer, lesson)
        first[lesson] = scene(explorer)
        assert first[lesson]["lessons"] == [lesson]
    for lesson in random.Random(1).sample(lessons, len(lessons)):
        press(explorer, lesson)
        assert scene(explorer) == first[lesson], lesson
    visitor.forgive("503")  # a busy server; the page has asked again


def test_the_way_back_leads_to_what_was_before_the_first_lesson(visitor: Visitor) -> None:
    explorer = visitor.open(
        "?model=mnist-vae-20d&z=" + ",".join(["0.5"] * 20) + "&digits=3&layers=density&panel=learn"
    )
    page = explorer.page
    expect(page.locator("#leave-lessons")).to_be_hidden()
    before = page.url
    for lesson in ("draws-standard", "seam", "hole-ae"):
        press(explorer, lesson)
        expect(page.locator(f"[data-lesson={lesson}]")).to_have_attribute("aria-pressed", "true")
        explorer.wait_until("(id) => location.search.includes(`lesson=${id}`)", lesson)
    page.locator("#leave-lessons").click()
    expect(page).to_have_url(before)
    expect(page.locator("#leave-lessons")).to_be_hidden()
    assert explorer.model == "mnist-vae-20d"
    assert explorer.latent == pytest.approx([0.5] * 20)
    visitor.forgive("503")  # a busy server; the page has asked again


def test_the_pressed_lesson_survives_back_and_reload(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn", reduced_motion="reduce")
    page = explorer.page
    press(explorer, "seam")
    first = scene(explorer)
    press(explorer, "middle")
    assert scene(explorer)["lessons"] == ["middle"]
    page.go_back()
    expect(page.locator("[data-lesson=seam]")).to_have_attribute("aria-pressed", "true")
    assert scene(explorer) == first
    page.reload()
    page.locator("html[data-state=ready]").wait_for(state="attached")
    assert scene(explorer) == first


def test_the_seam_shows_4s_and_9s_and_their_average_beside_the_decode(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn", reduced_motion="reduce")
    press(explorer, "seam")
    images = explorer.page.locator("#seam .seam-images img")
    expect(images).to_have_count(8)
    labels = datasets.test_set("mnist").labels
    indices = [int((image.get_attribute("alt") or "").split()[-1]) for image in images.all()]
    assert set(labels[indices]) == {4, 9}
    codes = np.array(explorer.codes())
    distances = np.linalg.norm(codes - np.array(explorer.latent), axis=1)
    assert set(np.argsort(distances)[:8]) == set(indices)
    average = datasets.test_set("mnist").images[indices].mean(0).ravel()
    explorer.wait_until(
        """(wanted) => {
            const canvas = document.querySelector('#seam canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, 28, 28);
            return wanted.every((grey, i) => Math.abs(data[4 * i] - grey) < 8);
        }""",
        average.tolist(),
    )


def test_the_large_picture_of_denoising_is_the_cleaned_image(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn", reduced_motion="reduce")
    press(explorer, "denoise")
    page = explorer.page
    expect(page.locator("#encoding")).to_contain_text("cleaned")
    clean = datasets.test_set("mnist").images[0].ravel() / 255

    def error() -> float:
        grey = page.evaluate(
            """() => {
                const canvas = new OffscreenCanvas(28, 28);
                const context = canvas.getContext('2d', { willReadFrequently: true });
                context.drawImage(document.querySelector('#decoded'), 0, 0);
                return [...context.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
            }"""
        )
        return float(np.sqrt(np.mean((np.array(grey) / 255 - clean) ** 2)))

    page.locator("#choose-model[data-model=mnist-denoising-ae-20d]").wait_for()
    stated = float(page.locator("#removed [data-part=after]").inner_text())
    until(lambda: error() == pytest.approx(stated, abs=2e-3), "the cleaned image")
    shown = page.locator("#noise-models button[aria-pressed=true] small")
    expect(shown).to_have_text(f"error {stated:.3f}")
