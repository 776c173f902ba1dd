"""Which device is chosen, and that it is told."""

from typing import Any

import pytest
import torch
from torch import nn

import srlens
from srlens.cli.devices import choose_device
from srlens.networks.device import device_in_words
from srlens.networks.network import Network


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_best_one_is_chosen_and_told(
    monkeypatch: pytest.MonkeyPatch, capfd: Any, cuda: bool, mps: bool, best: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100")
    assert choose_device(None) == torch.device(best)
    told = {"cuda": "Computing on cuda (NVIDIA H100, float32).\n", "mps": "Computing on mps.\n", "cpu": ""}
    assert capfd.readouterr() == ("", told[best])


def test_tf32_is_said_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100")
    monkeypatch.setattr(Network, "device", property(lambda _: torch.device("cuda")))
    network, image = Network.wrap(nn.Conv2d(3, 3, 3, padding=1), scale=1), torch.rand(3, 16, 16)
    assert srlens.Explainer(network, image)._facts == {"tf32": False}
    assert srlens.Explainer(network.to(dtype=torch.float64), image)._facts == {}
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        assert device_in_words(torch.device("cuda")) == "cuda (NVIDIA H100, TF32)"
        assert srlens.Explainer(network, image, seed=2)._facts == {"seed": 2, "tf32": True}
    finally:
        torch.set_float32_matmul_precision(before)
