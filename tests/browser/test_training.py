"""How a map came to be: a slider through the moments of the training."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer


@pytest.fixture(scope="module")
def opened(resident: Visitor) -> Explorer:
    return resident.open("?model=mnist-vae-2d-beta-1&z=0.5,0.5", reduced_motion="reduce")


@pytest.fixture
def explorer(opened: Explorer) -> Explorer:
    """The training of a model, at its end."""
    opened.page.locator("#tab-training").click()
    expect(opened.page.locator("#moment")).to_be_enabled()
    opened.page.locator("#moment").press("End")
    return opened


def picture(explorer: Explorer) -> str:
    """The map as it is painted."""
    found: str = explorer.page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
            () => done(document.querySelector('#plane').toDataURL()))))"""
    )
    return found


def digit(explorer: Explorer) -> list[int]:
    """The grey levels of the point's picture."""
    levels: list[int] = explorer.page.evaluate(
        """() => {
            const canvas = new OffscreenCanvas(28, 28);
            const context = canvas.getContext('2d', { willReadFrequently: true });
            context.drawImage(document.querySelector('#decoded'), 0, 0);
            return [...context.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
        }"""
    )
    return levels


def test_the_slider_moves_map_and_digit_and_says_the_epoch(explorer: Explorer) -> None:
    page = explorer.page
    expect(page.locator("#epoch")).to_contain_text("ELBO")
    explorer.expect_image_of([0.5, 0.5])
    now, drawn = picture(explorer), digit(explorer)
    page.locator("#moment").press("Home")
    expect(page.locator("#epoch")).to_have_text("Before the first step")
    assert picture(explorer) != now
    grey = digit(explorer)
    assert grey != drawn
    assert max(grey) - min(grey) < 60, "an untrained decoder knows no ink from paper"


def test_the_way_back_leads_to_the_map_of_now(explorer: Explorer) -> None:
    page = explorer.page
    page.locator("#moment").press("Home")
    expect(page.locator("#show-trained")).to_be_enabled()
    page.locator("#show-trained").click()
    explorer.expect_image_of([0.5, 0.5])
    expect(page.locator("#epoch")).to_contain_text("Epoch 40 of 40")


def test_another_panel_shows_the_map_of_now(explorer: Explorer) -> None:
    explorer.page.locator("#moment").press("Home")
    explorer.page.locator("#tab-point").click()
    explorer.expect_image_of([0.5, 0.5])


def test_it_plays_from_the_first_moment_to_the_last(explorer: Explorer) -> None:
    explorer.page.locator("#play-training").click()
    expect(explorer.page.locator("#epoch")).to_have_text("Before the first step")
    explorer.wait_until("() => Number(document.querySelector('#moment').value) >= 40")


def test_a_model_with_a_codebook_has_no_training_tab(visitor: Visitor) -> None:
    explorer = visitor.open("?panel=training")
    explorer.choose("mnist-vqvae")
    expect(explorer.page.locator("#tab-training")).to_be_hidden()
