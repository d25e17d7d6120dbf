import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import find_objects, label

from model.data.pieces import pieces_of


@given(st.integers(1, 24), st.integers(1, 24), st.floats(0.1, 0.9), st.integers(0, 2**32 - 1))
def test_pieces_are_those_that_scipy_finds(
    height: int, width: int, share: float, seed: int
) -> None:
    ink = np.random.default_rng(seed).random((height, width)) < share
    pieces = pieces_of(ink)
    wanted, count = label(ink, np.ones((3, 3)))
    assert len(pieces.area) == count
    assert ((pieces.labels >= 0) == ink).all()
    pairs = set(zip(pieces.labels[ink].tolist(), wanted[ink].tolist(), strict=True))
    assert len(pairs) == count, "one number for one piece"
    boxes = find_objects(wanted)
    for ours, theirs in pairs:
        rows, columns = boxes[theirs - 1]
        assert (pieces.top[ours], pieces.bottom[ours]) == (rows.start, rows.stop)
        assert (pieces.left[ours], pieces.right[ours]) == (columns.start, columns.stop)
        assert pieces.area[ours] == (wanted == theirs).sum()


def drawn(*rows: str) -> np.ndarray:
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def test_a_spiral_is_one_piece() -> None:
    spiral = drawn("#######", "      #", "##### #", "#   # #", "# ### #", "#     #", "#######")
    assert pieces_of(spiral).area.tolist() == [spiral.sum()]


def test_a_frame_has_four_corners_and_a_ring_has_none() -> None:
    frame = np.ones((20, 30), bool)
    frame[2:-2, 2:-2] = False
    assert pieces_of(frame).has_corners(0)
    rows, columns = np.mgrid[:20, :20]
    distance = np.hypot(rows - 9.5, columns - 9.5)
    assert not pieces_of((distance < 10) & (distance > 7)).has_corners(0)


def test_a_piece_near_another_is_above_it_or_beside_it() -> None:
    pieces = pieces_of(drawn("##   #", "##   #", "      ", "##    "))
    first = pieces.labels[0, 0] == np.arange(3)
    box = pieces.box_of(first)
    below, right = pieces.labels[3, 0], pieces.labels[0, 5]
    assert pieces.beside(box).tolist() == [piece == right for piece in range(3)]
    assert pieces.near(box, 1)[below]
    assert not pieces.near(box, 2)[right]
    assert pieces.near(box, 3)[right]


def test_the_nearest_piece_to_a_place_is_found_by_its_pixels_and_not_by_its_box() -> None:
    pieces = pieces_of(drawn("#######", "#      ", "#   #  ", "#      "))
    dot, corner = pieces.labels[2, 4], pieces.labels[0, 0]
    assert pieces.nearest((0.6, 0.7)) == dot
    assert pieces.nearest((0.2, 0.7)) == corner
