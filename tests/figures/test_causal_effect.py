"""Figures of causal effects and of several methods."""

from dataclasses import replace

import numpy as np
import pytest

from srlens.attribution.blocks import partition, pixels
from srlens.attribution.method import Method
from srlens.comparison.compare_methods import MethodComparison
from srlens.comparison.subject import Subject
from srlens.figures.explain import explain_figure
from srlens.figures.methods import methods_figure
from srlens.figures.shading import uncertain_blocks
from srlens.trust.faithfulness import Faithfulness

SIDE = 3


def panel(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


def spread(values, size):
    found = np.zeros(size)
    for block, value in zip(partition(*size, SIDE), values, strict=True):
        found[block] = value / pixels(block)
    return found


@pytest.fixture
def causal(make_result):
    """Effects from −4 to 4 dB whose intervals have half a width of 0.5 dB; two blocks are at 0."""

    def make(size=(40, 40), detector="psnr"):
        count = len(partition(*size, SIDE))
        effects = np.linspace(-4, 4, count)
        effects[:2] = 0
        facts = {"block": SIDE, "blocks": count, "blocks_outside_reach": 5, "blocks_fine": 90, "blocks_uncertain": 11}
        facts |= {"threshold": 0.01, "degraded_anew": None}
        signed = np.repeat(spread(effects, size)[None] / 3, 3, axis=0)
        interval = spread(np.full(count, 0.5), size)
        method = Method("causal-effect", detector=detector)
        return effects, replace(
            make_result(size=size), map=signed, interval=interval, method=method, facts=facts, map_error=None
        )

    return make


def test_effects_are_those_of_blocks(causal) -> None:
    effects, result = causal(size=(20, 23))
    for block, effect in zip(result.blocks, effects, strict=True):
        np.testing.assert_allclose(result.effects[block], effect, atol=1e-12)


def test_dots_stand_in_uncertain_blocks(causal) -> None:
    effects, result = causal(size=(20, 23))
    blocks = partition(20, 23, SIDE)
    expected = [
        ((rows.start + rows.stop) / 2, (columns.start + columns.stop) / 2)
        for (rows, columns), effect in zip(blocks, effects, strict=True)
        if 0 < abs(effect) < 0.5
    ]
    assert len(expected) > 3
    assert uncertain_blocks(result) == expected


@pytest.mark.parametrize("style", ["default", "paper"])
@pytest.mark.parametrize("size", [(40, 40), (48, 64), (16, 80), (100, 25)])
def test_both_looks_stand_side_by_side(alone, causal, make_images, faults, all_words, size, style) -> None:
    _, result = causal(size=size)
    figure = explain_figure(*alone(result, *make_images(size), psnr=21.34, psnr_image=28.1), style=style)
    assert faults(figure) == []
    ours, theirs = panel(figure, "map"), panel(figure, "clipped effect")
    assert ours.images[-1].get_clim() == (-4, 4)
    assert theirs.images[-1].get_clim() == (-2.5, 2.5)
    assert len(ours.collections[0].get_offsets()) == len(uncertain_blocks(result))
    assert not theirs.collections
    assert np.abs(ours.images[-1].get_array()).max() == pytest.approx(4)
    words = all_words(figure)
    assert "11 of 90" in words
    assert "clipped at ±2.5 dB" in words


@pytest.mark.parametrize(("degradation", "end"), [("noise:25", 1), ("rain:4", 2), ("given", 2.5)])
def test_the_scale_is_that_of_the_task(alone, causal, make_images, degradation, end) -> None:
    _, result = causal()
    lr, _, _ = make_images()
    subject = Subject("picture", lr, lr, degradation, scale=1)
    figure = explain_figure(replace(result, scale=1, window=replace(result.window, top=8, left=8)), subject)
    assert panel(figure, "clipped effect").images[-1].get_clim() == (-end, end)


def test_other_detectors_have_no_scale_of_decibels(alone, causal, make_images, all_words, faults) -> None:
    figure = explain_figure(*alone(causal(detector="gradient")[1], *make_images()))
    assert faults(figure) == []
    assert panel(figure, "clipped effect").images[-1].get_clim() == pytest.approx((-4, 4))
    assert "dB" not in all_words(figure).replace("PSNR", "").split("Effect of a block")[1]


@pytest.mark.parametrize("style", ["default", "paper"])
@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_methods_stand_side_by_side(alone, causal, make_result, make_images, faults, all_words, count, style) -> None:
    names = ["causal-effect", "lam", "ig-black", "linear-blur", "gradient", "gradient-input", "occlusion"][:count]
    results = [causal()[1]] + [
        replace(make_result(seed=k, strength=10.0**k), network="IMDN", method=Method(name), network_digest="f" * 64)
        for k, name in enumerate(names[1:])
    ]
    explained, subject = alone(results[0], *make_images(), psnr=21.34, psnr_image=28.1)
    tests = tuple(Faithfulness({"blur": {"distance": 0.1 * k}}, 0.9, 1.0, 99) for k in range(count))
    seconds = tuple(1.0 for _ in results)
    comparison = MethodComparison(
        subject,
        results[0].window,
        "given",
        explained.network,
        explained.sr,
        None,
        tuple(results),
        seconds,
        faithfulness=tests,
    )
    figure = methods_figure(comparison, style=style)
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)
    words = all_words(figure)
    assert all(name in words for name in names)
    assert "Deletion gain" in " ".join(words.split())
    shown = [panel(figure, f"map {name}").images[-1] for name in names]
    if style == "default":
        assert len({image.get_clim() for image in shown}) == 1
        assert [np.abs(image.get_array()).sum() for image in shown] == pytest.approx([100] * count)
    else:
        assert {image.get_clim() for image in shown} == {(0, 1)}
