"""The page where only models of one's own are served: it speaks of their images, not of digits."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from app.settings import ROOT
from model.checkpoint import ATLAS_FILE, CARD_FILE, WEIGHTS_FILE
from model.data.own import install_own
from tests.app import untrained
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tools.server import Server

PANELS = ("point", "draw", "path", "vary", "training", "measures", "learn")
FOREIGN = re.compile(r"digit|MNIST|garment|trousers|\bshirt|2,000|10,000|\ba [0-9]\b|\b[0-9]s\b")
"""What is true of the shipped data sets alone."""
GROWING, LABELLED, UNLABELLED = "growing", "shapes-one", "flat-one"


def draw(folder: Path, count: int, seed: int) -> None:
    """Boxes of ink at random places."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for n in range(count):
        image = np.zeros((28, 28), np.uint8)
        x, y = random.integers(2, 16, 2)
        image[y : y + 4 + 2 * seed, x : x + 10 - 2 * seed] = 255
        Image.fromarray(image).save(folder / f"{n:03}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with models of labelled and of unlabelled images; some share a title."""
    folder = tmp_path_factory.mktemp("own-page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(ROOT))
        for seed, label in enumerate(("circle", "square", "triangle")):
            draw(folder / "pictures" / label, 60, seed)
        draw(folder / "flat", 60, 1)
        install_own("shapes", folder / "pictures", folder / "data", title="My shapes")
        install_own("flat", folder / "flat", folder / "data")
        for name, beta in ((LABELLED, 1.0), ("shapes-two", 4.0)):
            untrained.write(
                folder / "models", name, dataset="shapes", beta=beta, group="Found in the attic"
            )
        untrained.write(folder / "models", UNLABELLED, dataset="flat", title="Flat")
        yield folder


@pytest.fixture(scope="module")
def own(place: Path, browser: Browser) -> Iterator[Visitor]:
    with Server("--checkpoints", "models", "--default-model", LABELLED) as server:
        visitor = Visitor(browser, server.url)
        yield visitor
        visitor.leave()


@pytest.mark.parametrize("model", [LABELLED, UNLABELLED])
def test_no_panel_says_what_is_true_of_the_shipped_images_alone(own: Visitor, model: str) -> None:
    page = own.open(f"?model={model}").page
    for panel in PANELS:
        page.locator(f"#tab-{panel}").click()
        expect(page.locator(f"#panel-{panel}")).to_be_visible()
        assert not FOREIGN.findall(page.locator("body").inner_text()), panel
    page.locator("#choose-model").click()
    assert not FOREIGN.findall(page.locator("#model-sheet").inner_text())


def test_models_of_one_title_show_their_ids_and_headings_of_ones_own_their_text(
    own: Visitor,
) -> None:
    page = own.open().page
    expect(page.locator("#choose-model [data-part=title]")).to_have_text(
        f"Never trained ({LABELLED})"
    )
    page.locator("#choose-model").click()
    section = page.get_by_role("group", name="Found in the attic")
    expect(section.locator("[role=option]")).to_have_count(2)
    expect(section).to_contain_text("Never trained (shapes-two)")


def test_one_label_has_no_legend_and_no_shares(own: Visitor) -> None:
    page = own.open(f"?model={UNLABELLED}").page
    expect(page.locator("#legend .keys")).to_be_hidden()
    expect(page.locator("#shares")).to_be_hidden()
    page.goto(f"{own.home}/?model={LABELLED}")
    expect(page.locator("#legend .keys")).to_be_visible()
    expect(page.locator("#shares")).to_be_visible()


def lessons(explorer: Explorer) -> set[str]:
    buttons = explorer.page.locator("#panel-learn button[data-lesson]").all()
    return {button.get_attribute("data-lesson") or "" for button in buttons if button.is_visible()}


def test_lessons_are_made_of_the_models_own_codes_and_names(own: Visitor) -> None:
    explorer = own.open("?panel=learn", reduced_motion="reduce")
    page = explorer.page
    assert lessons(explorer) == {
        *("own-walk", "own-meeting", "own-hole", "own-middle", "own-training"),
        *("own-draws-own", "own-draws-standard", "own-rung-0", "own-rung-1"),
    }
    page.locator("[data-lesson=own-meeting]").click()
    meeting = page.locator("[data-lesson=own-meeting] [data-part=meeting]").inner_text()
    pressed = page.locator("#legend button[aria-pressed=true]").all_inner_texts()
    assert len(pressed) == 2
    assert meeting == f"“{pressed[0]}” and “{pressed[1]}”."
    page.locator("[data-lesson=own-hole]").click()
    room = np.linalg.norm(np.array(explorer.codes()) - explorer.latent, axis=1).min()
    said = page.locator("[data-lesson=own-hole] [data-part=hole]").inner_text()
    assert float(said) == pytest.approx(room, abs=0.006)
    page.locator("[data-lesson=own-rung-1]").click()
    expect(page.locator("#choose-model")).to_have_attribute("data-model", "shapes-two")
    page.locator("[data-lesson=own-training]").click()
    expect(page.locator("#panel-training")).to_be_visible()


def test_images_of_one_label_have_the_lessons_that_need_none(own: Visitor) -> None:
    explorer = own.open(f"?model={UNLABELLED}&panel=learn", reduced_motion="reduce")
    assert lessons(explorer) == {"own-walk", "own-hole", "own-middle", "own-training"}
    explorer.page.locator("[data-lesson=own-walk]").click()
    expect(explorer.page).to_have_url(re.compile("walk="))


def test_the_first_path_among_images_of_one_label_leads_from_one_to_another(own: Visitor) -> None:
    page = own.open(f"?model={UNLABELLED}").page
    with page.expect_request("**/interpolate") as request:
        page.locator("#tab-path").click()
    asked = request.value.post_data_json
    assert asked
    assert asked["start"] != asked["end"]


def test_a_shipped_model_has_no_lessons_on_other_images(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=learn")
    assert not any(lesson.startswith("own-") for lesson in lessons(explorer))


def put(folder: Path, seed: int, **fields: Any) -> None:
    """Write a checkpoint with a card of these fields, the card last."""
    staged = folder / "staged"
    untrained.write(staged, GROWING, dataset="shapes", seed=seed)
    card = json.loads((staged / GROWING / CARD_FILE).read_text(encoding="utf-8"))
    text = json.dumps({**card, **fields})
    (staged / GROWING / CARD_FILE).write_text(text, encoding="utf-8")
    served = folder / "grows" / GROWING
    served.mkdir(parents=True, exist_ok=True)
    for file in (WEIGHTS_FILE, ATLAS_FILE, CARD_FILE):
        (staged / GROWING / file).replace(served / file)


def in_training(epoch: int) -> dict[str, Any]:
    return {"metrics": {"progress": {"epoch": epoch, "epochs": 9}}, "summary": f"Epoch {epoch}."}


def test_an_open_page_shows_a_model_that_grows_until_it_is_trained(
    place: Path, browser: Browser
) -> None:
    put(place, 1, **in_training(1))
    options = ("--checkpoints", "grows", "--default-model", GROWING, "--follow", "on")
    with Server(*options) as server:
        visitor = Visitor(browser, server.url)
        explorer = visitor.open("?z=0.5,0.5")
        summary, names = explorer.page.locator("#model-summary"), explorer.page.locator("#plane")
        expect(summary).to_have_text("Epoch 1.")
        explorer.expect_image_of([0.5, 0.5])
        put(place, 2, **in_training(2))
        expect(summary).to_have_text("Epoch 2.")
        expect(names).to_have_attribute("data-tiles", "whole")
        explorer.expect_image_of([0.5, 0.5])
        put(place, 3, summary="All done.")
        expect(summary).to_have_text("All done.")
        assert explorer.latent == [0.5, 0.5], "the visitor's point stays"
        visitor.leave()
