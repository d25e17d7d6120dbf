"""Dragging the point: by mouse, by finger, by keys. The picture is what `/decode` answers there."""

import json

import pytest

from tests.browser.conftest import Visitor

COUNT_QUESTIONS = """() => {
    window.questions = 0;
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) { window.questions++; send.call(this, data); };
    addEventListener('pointerdown', ({ pointerId }) => { window.held = pointerId; }, true);
}"""

MOVE_FAST = """async ([x, y]) => {
    const ring = document.querySelector('#ring');
    const tell = (kind, at) => ring.dispatchEvent(new PointerEvent(kind, {
        clientX: x + at / 4, clientY: y, pointerId: held, buttons: 1, bubbles: true,
    }));
    let [frames, isOver, moves] = [0, false, 0];
    requestAnimationFrame(function count() {
        frames++;
        if (moves) tell('pointermove', moves);
        if (!isOver) requestAnimationFrame(count);
    });
    window.questions = 0;
    while (moves < 400) {
        tell('pointerrawupdate', ++moves);
        if (moves % 4 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    isOver = true;
    await new Promise(requestAnimationFrame);
    return [questions, frames];
}"""


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


def test_a_mouse_that_moves_often_between_two_frames_asks_for_one_image(visitor: Visitor) -> None:
    explorer = visitor.open(
        "?z=2,2", before=lambda page: page.add_init_script(f"({COUNT_QUESTIONS})()")
    )
    x, y = explorer.middle(-0.5)
    mouse = explorer.page.mouse
    mouse.click(x, y)
    explorer.expect_image_of(explorer.latent_at(x, y))
    mouse.down()
    questions, frames = explorer.page.evaluate(MOVE_FAST, [x, y])
    assert 1 < questions <= frames + 1
    explorer.expect_image_of(explorer.latent_at(x + 100, y))


def test_a_drag_makes_the_browser_lay_nothing_out_before_its_frame(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2")
    mouse = explorer.page.mouse
    mouse.click(*explorer.middle())
    mouse.down()
    mouse.move(*explorer.middle(0.1, 0.1))
    kinds = ["-*", "devtools.timeline", "disabled-by-default-devtools.timeline.stack"]
    visitor.browser.start_tracing(page=explorer.page, categories=kinds)
    mouse.move(*explorer.middle(0.5, 0.4), steps=60)  # for longer than an address waits
    explorer.expect_image_of(explorer.latent_at(*explorer.middle(0.5, 0.4)))
    events = json.loads(visitor.browser.stop_tracing())["traceEvents"]
    layouts = [event["args"].get("beginData", {}) for event in events if event["name"] == "Layout"]
    assert layouts
    forced = [place for layout in layouts for place in layout.get("stackTrace", [])]
    assert [place for place in forced if place["url"]] == []  # the driver's own scripts have none


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
