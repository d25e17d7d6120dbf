"""A code under a resting mouse: its image, and what a press does."""

import json

import numpy as np
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

MODEL = "mnist-ae-2d"


def rest_on_a_lonely_code(explorer: Explorer) -> tuple[int, float, float]:
    """Rest the mouse on a code that has no other near it, and give its index and place."""
    codes = np.array(explorer.codes())
    inner = [index for index in range(400) if abs(codes[index]).max() <= 2]
    apart = [np.partition(np.hypot(*(codes - codes[index]).T), 1)[1] for index in inner]
    best = inner[int(np.argmax(apart))]
    x, y = explorer.place_of(codes[best].tolist())
    explorer.page.mouse.move(x + 1, y)
    expect(explorer.page.locator("#hover")).to_be_visible()
    return best, x + 1, y


def test_a_resting_mouse_shows_the_image_of_a_code_and_its_decode(visitor: Visitor) -> None:
    explorer = visitor.open(f"?model={MODEL}&z=3,3", reduced_motion="reduce")
    index, _, _ = rest_on_a_lonely_code(explorer)
    plate = explorer.page.locator("#hover")
    expect(plate).to_contain_text(f"Test image {index}, ")
    image, decode = (plate.locator("img").nth(i).get_attribute("src") or "" for i in (0, 1))
    assert image.endswith(f"/datasets/mnist/images/{index}.png")
    z = decode.split("z=")[1].split("&")[0]
    expected = explorer.codes()[index]
    assert all(abs(a - b) < 1e-5 for a, b in zip(map(float, z.split(",")), expected, strict=True))


def test_a_press_on_a_code_takes_its_image(visitor: Visitor) -> None:
    explorer = visitor.open(f"?model={MODEL}&z=3,3", reduced_motion="reduce")
    index, x, y = rest_on_a_lonely_code(explorer)
    explorer.page.mouse.click(x, y)
    expect(explorer.page.locator("#hover")).to_be_hidden()
    explorer.expect_image_of(explorer.codes()[index])
    explorer.wait_until("(image) => location.search.includes(`image=${image}`)", index)
    stored = json.loads(json.dumps(explorer.latent))
    assert all(abs(a - b) < 1e-5 for a, b in zip(stored, explorer.codes()[index], strict=True))


def test_the_card_of_a_code_stays_inside_the_map_and_off_the_cards(visitor: Visitor) -> None:
    explorer = visitor.open(f"?model={MODEL}&z=3,3&at=0,0,40", reduced_motion="reduce")
    u, v = explorer.codes()[7]
    (eye_x, eye_y), (unit_x, _) = explorer.place_of([0, 0]), explorer.place_of([1, 0])
    unit = unit_x - eye_x
    panel = explorer.page.locator(".panel").bounding_box()
    assert panel
    for x, y in ((panel["x"] - 20, eye_y), (eye_x, 30), (eye_x, 690)):
        at = f"{u - (x - eye_x) / unit},{v + (y - eye_y) / unit},40"
        explorer.page.goto(f"{explorer.home}/?model={MODEL}&z=3,3&at={at}")
        explorer.page.locator("#plane[data-state=painted]").wait_for()
        explorer.page.mouse.move(x + 1, y)
        card = explorer.page.locator("#hover")
        expect(card).to_be_visible()
        box = card.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720
        assert box["x"] + box["width"] <= panel["x"]
