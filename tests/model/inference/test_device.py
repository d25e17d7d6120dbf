import pytest
import torch

from model.errors import DeviceError
from model.inference.device import choose_device

HAS_GPU = torch.cuda.is_available() or torch.backends.mps.is_available()


def test_the_processor_is_always_there() -> None:
    assert choose_device("cpu") == "cpu"


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
def test_without_a_gpu_auto_is_the_processor() -> None:
    assert choose_device("auto") == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
def test_with_a_gpu_auto_is_the_first_one() -> None:
    assert choose_device("auto") == choose_device("cuda") == "cuda:0"


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_gpu_that_is_not_there_is_refused_with_what_is(name: str) -> None:
    with pytest.raises(DeviceError, match=f'Device "{name}" is not on .* It has: cpu. Choose'):
        choose_device(name)


@pytest.mark.parametrize("name", ["cuda:99", "cuda:-1", "tpu", "", "CPU", "cpu:0"])
def test_what_is_no_device_of_this_machine_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match="is not on this machine"):
        choose_device(name)
