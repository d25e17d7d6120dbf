"""What makes a classifier doubt: each lesson against the images that it was made from."""

import pytest
import torch

from model.data import datasets
from model.evaluation.lessons import distort, lessons, noise, shuffle_pieces

SHIPPED = datasets.test_set("mnist")
IMAGES = torch.from_numpy(SHIPPED.images[:100].copy()).float() / 255
LABELS = torch.from_numpy(SHIPPED.labels[:100].copy()).long()


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("mirror", [False, True])
def test_distorted_images_keep_their_range_and_most_of_their_ink(mirror: bool) -> None:
    distorted = distort(IMAGES, rng(), motion=1.0, mirror=mirror)
    assert distorted.shape == IMAGES.shape
    assert distorted.min() >= 0
    assert distorted.max() <= 1 + 1e-6
    assert 0.6 < distorted.sum() / IMAGES.sum() < 1.1
    assert not torch.equal(distorted, IMAGES)


def test_shuffled_pieces_are_those_of_the_image_up_to_how_pale_it_is() -> None:
    images = IMAGES[:20] + 0.01
    for image, shuffled in zip(images, shuffle_pieces(images, rng()), strict=True):
        fade = (shuffled.sum() / image.sum()).item()
        expected = (fade * image).flatten().sort().values
        torch.testing.assert_close(shuffled.flatten().sort().values, expected, atol=1e-4, rtol=0)
        assert not torch.allclose(shuffled, fade * image, atol=1e-3)


def test_noise_comes_in_grains_of_several_sizes_and_at_every_contrast() -> None:
    images = noise(300, rng())
    assert images.shape == (300, 28, 28)
    assert images.min() >= 0
    assert images.max() <= 1
    contrast = images.flatten(1).std(1)
    assert contrast.min() < 0.05
    assert contrast.max() > 0.4
    step = images.diff(dim=2).abs().mean((1, 2)) / contrast.clamp(min=1e-6)
    fine, middle, coarse = (part.median() for part in step.tensor_split(3))
    assert fine > 1.3 * middle > 1.3 * coarse


def test_a_lesson_answers_with_what_is_in_the_image() -> None:
    images, answers = lessons(IMAGES, LABELS, rng())
    torch.testing.assert_close(answers.sum(1), torch.ones(100))
    whole = (answers == 1).any(1)
    flat = (answers == 0.1).all(1)
    assert whole.sum() >= 48
    assert flat.sum() == 12
    torch.testing.assert_close(images[52:], IMAGES[52:])
    assert torch.equal(answers[52:].argmax(1), LABELS[52:])
    for image, answer in zip(images[:40], answers[:40], strict=True):
        pictured = [IMAGES[LABELS.eq(label)].amax(0) for label in range(10)]
        ink = torch.tensordot(answer, torch.stack(pictured), dims=1)
        assert (image <= ink + 1e-5).all(), "no ink but that of the classes in the answer"
