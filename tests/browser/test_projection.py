"""A projection: all codes in one picture, and the point that moves on it from code to code."""

import io
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

MODEL = "mnist-denoising-ae-20d"
MARGIN = 0.03
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def open_projection(visitor: Visitor, projection: str = "tsne", **profile: Any) -> Explorer:
    explorer = visitor.open(
        f"?model={MODEL}&projection={projection}", reduced_motion="reduce", **profile
    )
    shown = explorer.page.locator(f".projection[data-shown='{MODEL} {projection}']")
    expect(shown).to_be_visible()
    shown.scroll_into_view_if_needed()
    return explorer


def places_of(explorer: Explorer, projection: str) -> np.ndarray:
    """The codes' shares of the picture's side, from the left and from the top."""
    npy = {"Accept": "application/x-npy"}
    answer = explorer.ask("GET", f"/projections/{projection}", headers=npy)
    places = np.load(io.BytesIO(answer.content)).astype(float)
    low, high = places.min(0), places.max(0)
    shares = (places - (low + high) / 2) * (1 - 2 * MARGIN) / (high - low).max()
    found: np.ndarray = 0.5 + shares * [1, -1]
    return found


def alone(places: np.ndarray) -> int:
    """A code that no other is near to, so that a press on it cannot mean another."""
    apart = np.linalg.norm(places[:2000, None] - places[None], axis=-1)
    apart[np.arange(2000), np.arange(2000)] = np.inf
    return int(apart.min(1).argmax())


def press(explorer: Explorer, place: np.ndarray) -> None:
    left, top, width, height = explorer.box(".projection canvas")
    explorer.page.mouse.click(left + place[0] * width, top + place[1] * height)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_press_on_a_code_brings_the_point_to_it(
    visitor: Visitor, viewport: dict[str, Any]
) -> None:
    explorer = open_projection(visitor, viewport=viewport)
    places = places_of(explorer, "tsne")
    index = alone(places)
    press(explorer, places[index])
    explorer.expect_image_of(explorer.codes()[index])
    mark, canvas = explorer.box(".projection i"), explorer.box(".projection canvas")
    for side in (0, 1):
        middle = mark[side] + mark[2 + side] / 2
        wanted = canvas[side] + places[index][side] * canvas[2 + side]
        assert middle == pytest.approx(wanted, abs=2)


def test_a_place_between_codes_is_the_mean_of_the_nearest_by_inverse_squares(
    visitor: Visitor,
) -> None:
    explorer = open_projection(visitor)
    places, codes = places_of(explorer, "tsne"), np.array(explorer.codes())
    left, top, width, height = explorer.box(".projection canvas")
    across, down = np.meshgrid(np.arange(10, width - 10, 9), np.arange(10, height - 10, 9))
    whole = np.stack([np.round(left + across.ravel()), np.round(top + down.ravel())], axis=1)
    grid = (whole - np.array([left, top])) / [width, height]
    nearest = np.linalg.norm(grid[:, None] - places[None], axis=-1).min(1)
    place = grid[np.argmax(nearest > 0.015)]
    away = np.linalg.norm(places - place, axis=1)
    eight = np.argsort(away)[:8]
    weights = away[eight] ** -2
    press(explorer, place)
    expected = weights @ codes[eight] / weights.sum()
    explorer.wait_until(
        """(wanted) => {
            const latent = document.querySelector('#readout').dataset.latent.split(',').map(Number);
            return wanted.every((z, i) => Math.abs(z - latent[i]) < 0.01);
        }""",
        expected.tolist(),
    )
    expect(explorer.page.locator("#projection [data-part=about]")).to_contain_text(
        "A projection: places between codes are estimates."
    )


def test_the_arrow_keys_move_the_point_on_the_picture(visitor: Visitor) -> None:
    explorer = open_projection(visitor)
    mark = explorer.page.locator(".projection i")
    before = explorer.latent
    left = explorer.box(".projection i")[0]
    explorer.page.locator(".projection canvas").press("ArrowRight")
    _, _, width, _ = explorer.box(".projection canvas")
    assert explorer.box(".projection i")[0] == pytest.approx(left + 0.02 * width, abs=1)
    expect(mark).to_be_visible()
    explorer.wait_until(
        "(before) => document.querySelector('#readout').dataset.latent !== before.join(',')", before
    )


def test_the_kind_of_projection_is_chosen_and_stands_in_the_address(visitor: Visitor) -> None:
    explorer = visitor.open(f"?model={MODEL}", reduced_motion="reduce")
    page = explorer.page
    page.locator("#projection summary").click()
    expect(page.locator(f".projection[data-shown='{MODEL} tsne']")).to_be_visible()
    expect(page).to_have_url(re.compile("projection=tsne"))
    page.locator("#projection-kind").select_option("pca")
    expect(page.locator(f".projection[data-shown='{MODEL} pca']")).to_be_visible()
    expect(page).to_have_url(re.compile("projection=pca"))
    page.locator("#projection summary").click()
    expect(page).not_to_have_url(re.compile("projection"))


def test_the_mark_follows_a_point_that_is_moved_elsewhere(visitor: Visitor) -> None:
    explorer = open_projection(visitor, "pca")
    places, codes = places_of(explorer, "pca"), explorer.codes()
    again = visitor.open(
        f"?model={MODEL}&projection=pca&z={','.join(map(str, codes[42]))}", reduced_motion="reduce"
    )
    again.wait_until(
        """(wanted) => {
            const { left, top } = document.querySelector('.projection i').style;
            return Math.abs(parseFloat(left) - 100 * wanted[0]) < 0.5
                && Math.abs(parseFloat(top) - 100 * wanted[1]) < 0.5;
        }""",
        places[42].tolist(),
    )


def test_a_plane_is_its_own_picture(visitor: Visitor) -> None:
    page = visitor.open("?projection=tsne").page
    expect(page.locator("#projection")).to_be_hidden()


def test_a_model_without_projections_says_how_to_get_them(visitor: Visitor) -> None:
    page = visitor.open(
        f"?model={MODEL}&projection=tsne",
        before=lambda page: page.route(
            "**/projections", lambda route: route.fulfill(json={"model": MODEL, "projections": []})
        ),
    ).page
    expect(page.locator("#projection [data-part=none]")).to_contain_text("python -m model project")
    expect(page.locator(".projection")).to_be_hidden()
