"""Choosing the device that a model runs on."""

from __future__ import annotations

import torch

from model.errors import DeviceError


def choose_device(name: str = "auto") -> str:
    """Resolve `auto`, `cpu`, `cuda`, `cuda:N` or `mps` to a device of this machine.

    `auto` takes the first GPU, or the CPU if there is none.

    Raises:
        DeviceError: This machine has no device of this name.
    """
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    here = [*cuda, *mps, "cpu"]
    if name == "auto":
        return here[0]
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in here:
        raise DeviceError(
            f'Device "{name}" is not on this machine. It has: {", ".join(here)}. '
            'Choose one of them, or "auto".'
        )
    return wanted
