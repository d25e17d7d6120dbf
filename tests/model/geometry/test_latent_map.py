"""What is on the map is tested in test_planes.py and test_fields.py; here, what it remembers."""

import base64

import numpy as np

from model.engine import Engine
from model.geometry import fields
from model.geometry.computation import Computation
from model.geometry.latent_map import MAX_BEGUN
from tests.model.geometry.test_fields import whole


def test_a_field_that_was_given_up_goes_on_where_it_stopped(plain: Engine) -> None:
    once = whole(Computation(lambda: fields.entropy(plain._autoencoder, plain.planes[0])))
    for _ in range(16):  # times 32 pieces, each of 32 places
        given_up = plain.field("latent", "entropy")
        assert [given_up.advance() for _ in range(32)] == [None] * 32
        plain.field("latent", "label").advance()  # of another kind, which is none of its business
    field = plain.field("latent", "entropy").advance()
    assert field is not None
    np.testing.assert_array_equal(field.levels, once.levels)
    assert plain.field("latent", "entropy").advance() is field


def test_only_a_few_fields_that_were_given_up_are_remembered(small: Engine) -> None:
    """Work that is kept holds megabytes; the one longest unasked for goes first."""
    begun = small.field("latent", "entropy")
    for count in range(MAX_BEGUN):
        assert small.field("latent", "entropy") is begun
        for turn in range(count + 1):
            turned = [0, 0, np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)]
            name = base64.urlsafe_b64encode(np.array(turned, "<f4").tobytes()).decode()
            small.field(f"at-{name}", "label")
    assert small.field("latent", "entropy") is not begun
