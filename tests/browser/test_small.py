"""Small and low windows: nothing lies on anything else."""

import itertools

import pytest

from tests.browser.conftest import Visitor

PARTS = (".page-header", "#zoom-buttons", "#legend", ".panel", "#ring .hint")
SIZES = [(375, 667), (390, 844), (844, 390), (320, 256), (360, 225), (667, 375)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_cards_buttons_and_invitation_lie_apart(visitor: Visitor, width: int, height: int) -> None:
    explorer = visitor.open(reduced_motion="reduce", viewport={"width": width, "height": height})
    boxes = {part: explorer.page.locator(part).bounding_box() for part in PARTS}
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        assert a, one
        assert b, other
        across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
        down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
        assert across <= 0.5 or down <= 0.5, f"{one} and {other}"
