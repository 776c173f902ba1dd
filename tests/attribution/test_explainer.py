"""One explainer for many windows: what it is given, what it tells while it works, how it leaves the network."""

import contextlib
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import ImageError, SettingError, WindowError

WINDOWS = (
    srlens.Window(8, 10, 6, 6),
    srlens.Window(0, 0, 6, 6),
    srlens.Window(20, 20, 6, 6),
    srlens.Window(4, 4, 8, 8),
)
MAP = 3 * 14 * 16 * 8  # bytes


def state(network: srlens.Network) -> tuple[list[bool], list[bool]]:
    return [m.training for m in network.module.modules()], [p.requires_grad for p in network.module.parameters()]


@pytest.mark.parametrize("settings", [{"steps": 2}, {"tolerance": 0.2}, {"method": "gradient"}])
def test_a_generator_that_is_left_leaves_the_network_as_it_was(make_network, image, settings) -> None:
    network = make_network()
    network.module.train()
    before = state(network)
    explainer = srlens.Explainer(network, image, **settings)
    first, second = (explainer.windows(WINDOWS, memory=1) for _ in range(2))
    next(first)
    assert state(network) == before
    next(second)
    first.close()
    assert state(network) == before
    maps = [result.map for result in second]
    for together, window in zip(maps, WINDOWS[1:], strict=True):
        np.testing.assert_allclose(together, explainer.window(window).map, rtol=1e-9, atol=1e-12)
    assert state(network) == before


@pytest.mark.parametrize("kind", [list, tuple, iter, dict.fromkeys])
def test_windows_come_in_any_iterable(make_network, image, kind) -> None:
    explainer = srlens.Explainer(make_network(), image, steps=2)
    assert [result.window for result in explainer.windows(kind(WINDOWS))] == list(WINDOWS)
    assert list(explainer.windows(kind(()))) == []


def test_a_window_that_does_not_fit_is_told_before_anything_is_computed(make_network, image) -> None:
    explainer = srlens.Explainer(make_network(), image, steps=2)
    for wrong in ((8, 10, 6, 6), srlens.Window(400, 0, 6, 6)):
        with pytest.raises(WindowError):
            explainer.windows([*WINDOWS, wrong])


@pytest.mark.parametrize("name", list(srlens.METHODS))
@pytest.mark.parametrize("memory", [1, 7 * 3 * MAP, 2**30])
@pytest.mark.parametrize("regional", [False, True])
def test_progress_is_below_what_is_expected_and_ends_there(make_network, image, name, memory, regional) -> None:
    calls: list[tuple[int, int]] = []
    explainer = srlens.Explainer(make_network(width=12), image, name, regional=regional)
    results = list(explainer.windows(WINDOWS, memory=memory, progress=lambda *call: calls.append(call)))
    done = [call[0] for call in calls]
    assert done == sorted(set(done))
    assert all(count <= expected for count, expected in calls)
    assert calls[-1] == (sum(result.evaluations for result in results),) * 2


class Failing(nn.Module):
    """Fails at one of its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1, dtype=torch.float64), nn.PixelShuffle(2))
        self.fatal = self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == self.fatal:
            raise ArithmeticError("at this call")
        return self.body(x)


@pytest.mark.parametrize("regional", [False, True])
def test_it_goes_on_after_an_error(image, regional: bool) -> None:
    module = Failing()
    network = srlens.Network.wrap(module, scale=2)
    expected = srlens.attribute(network, image, WINDOWS[0], regional=False).map
    for fatal in range(1, 6):
        explainer = srlens.Explainer(network, image, regional=regional)
        module.calls, module.fatal = 0, fatal
        with contextlib.suppress(srlens.ModuleError):
            explainer.window(WINDOWS[0])
        module.fatal = 0
        np.testing.assert_allclose(explainer.window(WINDOWS[0]).map, expected, rtol=1e-9, atol=1e-12)
        assert all(parameter.requires_grad for parameter in module.parameters())

    def refuse(done: int, expected: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explainer.window(WINDOWS[0], progress=refuse)
    np.testing.assert_allclose(explainer.window(WINDOWS[0]).map, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 20, 20), (3, 27, 32), (3, 30, 32), (3, 28, 64), (3, 14, 16)])
@pytest.mark.parametrize("detector", ["error", "gradient"])
def test_a_clean_picture_of_another_size_is_refused(make_network, image, shape, detector) -> None:
    with pytest.raises(ImageError, match=rf"{shape[1]}×{shape[2]}, but 2 times .* is 28×32"):
        srlens.attribute(make_network(), image, WINDOWS[0], detector=detector, clean=torch.rand(shape))


def test_a_clean_picture_that_is_not_cut_to_whole_pixels_is_cropped(make_network, image) -> None:
    network, clean = make_network(), torch.rand(3, 29, 33, dtype=torch.float64)
    whole = srlens.attribute(network, image, WINDOWS[0], detector="error", clean=clean, steps=3)
    cut = srlens.attribute(network, image, WINDOWS[0], detector="error", clean=clean[:, :28, :32], steps=3)
    assert (whole.map == cut.map).all()


@pytest.mark.parametrize("regional", [False, True])
def test_a_detector_reads_both_pictures_of_each_window(make_network, image, regional: bool) -> None:
    both = srlens.Detector(
        "both",
        lambda patch, known, clean: ((patch - known) * (patch - clean)).sum((1, 2, 3)),
        reads=("reference", "clean"),
    )
    network, clean = make_network(), torch.rand(3, 28, 32, dtype=torch.float64)
    explainer = srlens.Explainer(network, image, detector=both, clean=clean, steps=8, regional=regional)
    for result in explainer.windows(WINDOWS):
        alone = srlens.attribute(network, image, result.window, detector=both, clean=clean, steps=8, regional=False)
        np.testing.assert_allclose(result.map, alone.map, rtol=1e-9, atol=1e-12)


@dataclass(frozen=True)
class Unstacked(srlens.Algorithm):
    """Forgets the dimension of the windows."""

    def explain(self, scene: srlens.Scene) -> srlens.Explanation:
        return srlens.Explanation(scene.gradients(scene.image[None])[0, 0])


class Untyped(srlens.Algorithm):
    """No dataclass."""

    def explain(self, scene: srlens.Scene) -> srlens.Explanation:
        return srlens.Explanation(scene.gradients(scene.image[None])[0])


@pytest.mark.parametrize(("kind", "words"), [(Unstacked, r"maps of shape \(3, 14, 16\)"), (Untyped, "no dataclass")])
def test_methods_of_the_wrong_form(monkeypatch, make_network, image, kind, words: str) -> None:
    monkeypatch.setattr(srlens.METHODS, "_made", dict(srlens.METHODS._made))
    srlens.METHODS.add("odd", "a method of the wrong form", kind)
    with pytest.raises(SettingError, match=words):
        srlens.attribute(make_network(), image, WINDOWS[0], "odd")


def test_representations_are_short_and_say_what_it_is(make_network, image) -> None:
    settings = {"preset": "paper", "detector": "residual-gradient", "path": "linear-blur", "sigma": 1.7, "steps": 30}
    explainer = srlens.Explainer(make_network(), image, **settings, parameterisation="Laplacian arc length")
    for value in (explainer, explainer.method, explainer.method.detector, WINDOWS[0], srlens.Method()):
        assert len(repr(value)) < 200
        assert "<" not in repr(value)
    assert (
        repr(srlens.Method("lam", steps=5, sigma=3.0)) == "Method('lam', sigma=3.0, kernel=19, steps=5, tolerance=None)"
    )
    assert "tiny, LR 14×16" in repr(explainer)
    assert repr(srlens.DETECTORS["gabor"]).startswith("Detector(name='gabor'")
