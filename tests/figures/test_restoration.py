"""Figures of networks that keep the size speak of input, output and clean picture, and of what was done to it."""

import warnings
from typing import Any

import pytest
import torch
from torch import nn

import srlens
from srlens.figures.comparison import comparison_figure
from srlens.figures.explain import explain_figure
from srlens.imaging.samples import sample_image
from srlens.imaging.terms import worded


def test_words_of_a_task() -> None:
    text = "LR 64×64, SR window, HR unknown, HRNet, SRs"
    assert worded(text, 1) == "input 64×64, output window, clean unknown, HRNet, SRs"
    assert worded(text, 2) == text
    assert worded("No file /data/LR/a.png of my-SR-net, x.HR.png; no HR.", 1).endswith(
        "LR/a.png of my-SR-net, x.HR.png; no clean."
    )
    assert worded("3 LR px. SR of the window.", 1) == "3 input px. Output of the window."


@pytest.fixture(scope="module")
def comparison() -> srlens.Comparison:
    torch.manual_seed(0)
    networks = []
    for name, side in (("near", 3), ("far", 7)):
        layer = nn.Conv2d(3, 3, side, padding=side // 2, groups=3, bias=False)
        layer.weight.data.fill_(1 / side**2)
        networks.append(srlens.Network.wrap(layer, scale=1, name=name))
    clean = sample_image("pagoda")[:, 120:168, 120:168]
    subject = srlens.Subject.from_hr(clean, 1, name="roof", degradation="noise:25", seed=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", srlens.SrlensWarning)
        return srlens.compare(networks, subject, srlens.Window(16, 18, 12, 12), steps=4)


def test_a_figure_of_restoration(comparison: srlens.Comparison, all_words: Any, faults: Any) -> None:
    explained = comparison.rows[0]
    for figure in (comparison_figure(comparison), explain_figure(explained, comparison.subject)):
        words = " ".join(all_words(figure).split())
        for part in ("input 48×48", "clean window", "Input made by noise:25, seed 2", "noisy picture: ", "Question: "):
            assert part in words
        for part in ("LR", "SR", "HR", "bicubic"):
            assert part not in words.replace("SRlens", "")
        assert faults(figure) == []


def test_a_figure_of_super_resolution_keeps_its_words(
    make_rows: Any, compared: Any, make_images: Any, all_words: Any
) -> None:
    lr, _, hr = make_images()
    words = all_words(comparison_figure(compared(make_rows(["a"]), lr, hr)))
    assert "HR window" in words
    assert "input" not in words.replace("blurred input", "").replace("input pixels does", "")
