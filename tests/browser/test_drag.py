"""Dragging the point: by mouse, by finger, by keys. The picture is what `/decode` answers there."""

import pytest

from tests.browser.conftest import Visitor


def test_the_picture_under_a_dragging_mouse_is_what_decode_answers(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2")  # else the ring may pass by, and be grasped off its centre
    mouse = explorer.page.mouse
    mouse.click(*explorer.middle())
    explorer.expect_image_of(explorer.latent_at(*explorer.middle()))
    mouse.down()
    for right, up in [(0.6, 0.3), (-0.4, 0.6), (-0.6, -0.7)]:  # clear of panels in any font
        place = explorer.middle(right, up)
        mouse.move(*place, steps=12)
        explorer.expect_image_of(explorer.latent_at(*place))
    mouse.up()
    mouse.move(*explorer.middle(1, 1))
    explorer.expect_image_of(explorer.latent_at(*place))


def test_the_ring_is_taken_where_it_is_grasped_and_does_not_jump(visitor: Visitor) -> None:
    explorer = visitor.open()
    mouse = explorer.page.mouse
    mouse.click(*explorer.middle())
    before = explorer.latent
    x, y = explorer.ring()
    mouse.move(x + 9, y - 7)
    mouse.down()
    mouse.up()
    assert explorer.latent == pytest.approx(before, abs=1e-3)


def test_a_finger_drags_the_point_and_does_not_scroll_the_page(visitor: Visitor) -> None:
    phone = {"width": 390, "height": 844}
    explorer = visitor.open("?z=2,2", viewport=phone, has_touch=True, is_mobile=True)
    start, end = explorer.middle(0.2, 0.2), explorer.middle(-0.5, 0.5)
    explorer.page.touchscreen.tap(*start)
    explorer.expect_image_of(explorer.latent_at(*start))
    devtools = explorer.page.context.new_cdp_session(explorer.page)

    def touch(kind: str, *fingers: tuple[int, int]) -> None:
        points = [{"x": x, "y": y} for x, y in fingers]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", start)
    for part in range(1, 9):
        x, y = (a + (b - a) * part // 8 for a, b in zip(start, end, strict=True))
        touch("touchMove", (x, y))
    touch("touchEnd")
    explorer.expect_image_of(explorer.latent_at(*end))
    assert explorer.page.evaluate("[scrollX, scrollY]") == [0, 0]


def test_arrow_keys_move_the_point_and_shift_makes_the_steps_fine(visitor: Visitor) -> None:
    explorer = visitor.open()
    explorer.page.locator("#map").focus()
    press = explorer.page.keyboard.press
    press("Home")
    assert explorer.latent == [0, 0]
    explorer.expect_image_of([0, 0])
    press("ArrowRight")
    step, none = explorer.latent
    assert step > 0
    assert none == 0
    press("ArrowUp")
    assert explorer.latent == pytest.approx([step, step])
    explorer.expect_image_of([step, step])
    press("Shift+ArrowLeft")
    press("Shift+ArrowDown")
    fine = round(0.9 * step, 4)
    assert explorer.latent == pytest.approx([fine, fine])


def test_a_link_to_a_point_opens_there(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.75,-0.35")
    assert explorer.latent == pytest.approx([0.75, -0.35], abs=1e-4)
    explorer.expect_image_of([0.75, -0.35])
