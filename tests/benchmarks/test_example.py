"""The public example's way to train, which ours is measured against, must be one that trains."""

from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import example
from model.data.datasets import test_set as shipped_tests


def test_an_image_becomes_a_tensor_of_its_grey_levels() -> None:
    pixels = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    tensor = example.to_tensor(Image.fromarray(pixels))
    assert tensor.dtype == torch.float32
    assert torch.equal(tensor, torch.from_numpy(pixels).float().unsqueeze(0) / 255)


@pytest.mark.training
def test_it_learns_from_the_shipped_images() -> None:
    torch.manual_seed(0)
    losses = [loss / example.BATCH for loss in islice(example.losses(shipped_tests("mnist")), 25)]
    assert 500 < losses[0] < 600  # 784 log 2, for a network that knows nothing
    assert np.mean(losses[-5:]) < 250
