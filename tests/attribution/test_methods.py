"""Every method behind the one seam: known answers, records that run again, settings that are refused."""

import json
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.path import derivative, find_path, path_names
from srlens.attribution.quadrature import Nodes, Rule
from srlens.attribution.settings import SETTINGS
from srlens.errors import ImageTooSmallError, NotDifferentiableError, NotFiniteError, SettingError, ZeroMapError

WINDOW = srlens.Window(8, 10, 7, 6)


class Linear(nn.Module):
    """y = Wx: each SR pixel a fixed mixture of LR pixels, at scale 1."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 5, padding=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x)


@pytest.fixture
def linear() -> srlens.Network:
    return srlens.Network.wrap(Linear().double(), scale=1)


@pytest.fixture
def picture() -> Tensor:
    return torch.rand(3, 20, 22, dtype=torch.float64)


def weights(network: srlens.Network, picture: Tensor, window: srlens.Window) -> Tensor:
    """The gradient of the window's sum, which is the same everywhere for a linear network."""
    x = picture[None].clone().requires_grad_(True)
    window.crop(network(x)).sum().backward()
    assert x.grad is not None
    return x.grad[0]


@pytest.mark.parametrize("name", list(srlens.METHODS))
def test_every_method_makes_a_map_with_its_record(make_network, image, name: str) -> None:
    network = make_network()
    result = srlens.attribute(network, image, WINDOW, name, detector="intensity")
    assert result.map.shape == image.shape
    assert result.method.name == name
    assert name in result.conditions
    assert "intensity detector" in result.conditions
    record = json.loads(json.dumps(result.record(), allow_nan=False))
    again = srlens.attribute(network, image, result.window, srlens.Method.from_record(record["method"]))
    assert again.method == result.method
    assert (again.map == result.map).all()
    assert again.record() == result.record()


@pytest.mark.parametrize("name", list(srlens.METHODS))
def test_windows_together_are_the_same_as_alone(make_network, image, name: str) -> None:
    network = make_network(nn.GELU)
    explainer = srlens.Explainer(network, image, name, detector="intensity")
    windows = [srlens.Window(0, 0, 6, 6), WINDOW, srlens.Window(16, 20, 8, 8)]
    for together, window in zip(explainer.windows(windows), windows, strict=True):
        alone = srlens.attribute(network, image, window, name, detector="intensity", regional=False)
        assert together.window == window
        np.testing.assert_allclose(together.map, alone.map, rtol=1e-9, atol=1e-12)
        assert together.evaluations <= alone.evaluations  # windows by themselves show which blocks are out of reach


def test_gradient_of_a_linear_network(linear, picture) -> None:
    window = srlens.Window(5, 6, 4, 4)
    expected = weights(linear, picture, window)
    gradient = srlens.attribute(linear, picture, window, "gradient", detector="intensity")
    np.testing.assert_allclose(gradient.map, expected, rtol=1e-12)
    times_input = srlens.attribute(linear, picture, window, "gradient-input", detector="intensity")
    np.testing.assert_allclose(times_input.map, expected * picture, rtol=1e-12)
    assert gradient.completeness_gap is gradient.map_error is gradient.detector_at_baseline is None
    # Without offset, gradient times input is the path integral from black.
    from_black = srlens.attribute(linear, picture, window, "ig-black", detector="intensity")
    np.testing.assert_allclose(from_black.map, times_input.map, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("block", [1, 3, 4])
@pytest.mark.parametrize("fill", ["black", "mean", "blur"])
def test_occlusion_of_a_linear_network(linear, picture, block: int, fill: str) -> None:
    """The effect of a block is the sum of weight times change over its pixels."""
    window = srlens.Window(5, 6, 4, 4)
    result = srlens.attribute(linear, picture, window, "occlusion", detector="intensity", block=block, fill=fill)
    change = picture - srlens.BASELINES[fill]().of(picture)
    effect = (weights(linear, picture, window) * change).sum(dim=0)
    for top in (0, block, 2 * block):
        for left in (0, 2 * block):
            expected = float(effect[top : top + block, left : left + block].sum()) / (3 * block**2)
            if left + block < 20 and top + block < 18:  # the last blocks overlap
                np.testing.assert_allclose(result.map[:, top : top + block, left : left + block], expected, atol=1e-12)
    if block == 1:
        assert float(result.map.sum()) == pytest.approx(float(effect.sum()), rel=1e-9)


def test_occlusion_with_overlap_takes_the_mean(linear, picture) -> None:
    window = srlens.Window(5, 6, 4, 4)
    result = srlens.attribute(linear, picture, window, "occlusion", detector="intensity", block=2, stride=1)
    effect = (weights(linear, picture, window) * (picture - srlens.BASELINES["blur"]().of(picture))).sum(dim=0)
    blocks = effect.unfold(0, 2, 1).unfold(1, 2, 1).sum(dim=(-2, -1)) / 12
    expected = (blocks[6, 7] + blocks[6, 8] + blocks[7, 7] + blocks[7, 8]) / 4
    np.testing.assert_allclose(result.map[:, 7, 8], float(expected), rtol=1e-9)


def test_occlusion_evaluates_windows_alone(make_network) -> None:
    image = torch.rand(3, 48, 48, dtype=torch.float64)
    result = srlens.attribute(make_network(), image, srlens.Window(30, 30, 6, 6), "occlusion", detector="intensity")
    whole = srlens.attribute(
        make_network(), image, srlens.Window(30, 30, 6, 6), "occlusion", detector="intensity", regional=False
    )
    assert result.evaluation.startswith("regional")
    assert whole.evaluation == "full (as asked)"


def test_a_flat_image_has_no_map_by_any_path(make_network) -> None:
    flat = torch.full((3, 14, 16), 0.4, dtype=torch.float64)
    for name in ("lam", "linear-blur"):
        with pytest.raises(ZeroMapError, match="image is flat"):
            srlens.attribute(make_network(), flat, WINDOW, name)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("gradient", {"steps": 5}, "'steps' is no setting of the method 'gradient'"),
        ("lam", {"toleranc": 0.1}, "Did you mean tolerance"),
        ("occlusion", {"block": 0}, "at least 1"),
        ("occlusion", {"block": 4, "stride": 5}, "from 1 to the block's side"),
        ("occlusion", {"fill": "noise"}, "known: blur, black, mean"),
        ("occlusion", {"block": 40}, "larger than the LR image"),
        ("occlusion", {"fill": "black", "sigma": 2.0}, "sigma"),
        ("ig-black", {"path": "linear-blur"}, "take the method lam"),
        ("lam", {"path": "progressive-black"}, "can fade"),
        ("lrp", {}, "known: lam, linear-blur"),
    ],
)
def test_settings_that_a_method_does_not_have(make_network, image, name: str, settings, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        srlens.attribute(make_network(), image, WINDOW, name, **settings)


@pytest.mark.parametrize("path", path_names())
def test_methods_are_written_down_and_read_back(path: str) -> None:
    for given in ({}, {"steps": 7}, {"tolerance": 0.2}, {"rule": "right-riemann"}, {"preset": "paper"}):
        method = srlens.Method("lam", path=path, detector="gabor", **given)
        assert srlens.Method.from_record(json.loads(json.dumps(method.to_record()))) == method


def test_another_setting_takes_what_follows_from_it() -> None:
    method = srlens.Method("lam", sigma=3.0)
    assert method.to_record()["kernel"] == 19
    assert method.but(sigma=1.2).to_record()["kernel"] == 9
    assert method.but(path="linear-black").to_record()["path"] == "linear-black"
    assert method.but(steps=4).algorithm.tolerance is None
    assert method.but(steps=4).but(tolerance=0.1).algorithm.steps is None
    assert method.but(rule="gauss-legendre").algorithm.parameterisation == "uniform"
    assert method.but(detector="intensity").detector.name == "intensity"
    assert srlens.Method("occlusion", block=6).but(block=3) == srlens.Method("occlusion", block=3)


def test_the_table_of_settings_is_what_methods_take() -> None:
    accepted = {"method", "preset", "detector"}
    for name in srlens.METHODS:
        accepted |= set(srlens.METHODS.entry(name).accepts)
    assert {setting.name for setting in SETTINGS} == accepted
    assert all(len(line) < 120 for line in srlens.METHODS.values())


@dataclass(frozen=True)
class Bent:
    """A curve without a derivative of its own: γ(α) = I' + α² (I − I')."""

    baseline: object
    curve = "bent"

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        start = self.baseline.of(image)
        return start + alpha[:, None, None, None] ** 2 * (image - start)


def test_a_curve_without_derivative_has_one(monkeypatch, linear, picture) -> None:
    monkeypatch.setitem(srlens.CURVES, "bent", Bent)
    path, window = find_path("bent-mean"), srlens.Window(5, 6, 4, 4)
    alpha = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64)
    expected = 2 * alpha[:, None, None, None] * (picture - path.baseline.of(picture))
    assert torch.allclose(derivative(path, picture, alpha)[1:2], expected[1:2], atol=1e-8)
    assert torch.allclose(derivative(path, picture, alpha), expected, atol=2e-5)
    # The integral does not depend on the curve between two ends where the network is linear.
    settings = {"detector": "intensity", "steps": 9, "rule": "gauss-legendre"}
    bent = srlens.attribute(linear, picture, window, path="bent-mean", **settings)
    line = srlens.attribute(linear, picture, window, path="linear-mean", **settings)
    np.testing.assert_allclose(bent.map, line.map, rtol=1e-6, atol=1e-9)


def test_the_error_detector_reads_the_clean_picture(make_network, image) -> None:
    network = make_network()
    clean = torch.rand(3, 28, 32, dtype=torch.float64)
    result = srlens.attribute(network, image, WINDOW, detector="error", clean=clean)
    error = WINDOW.crop(network(image[None].to(network.dtype)) - clean).detach()
    assert result.detector_at_image == pytest.approx(float(error.square().sum()) / 2, rel=1e-6)
    with pytest.raises(SettingError, match="clean"):
        srlens.attribute(network, image, WINDOW, detector="error")
    with pytest.raises(SettingError, match="there is reference and clean"):
        srlens.Detector("odd", lambda patch: patch.sum(), reads=("nonsense",))  # type: ignore[arg-type]


def test_another_preset_changes_what_was_not_chosen_otherwise() -> None:
    paper = srlens.Method("lam", preset="paper")
    assert srlens.Method("lam").but(preset="paper") == paper
    assert paper.but(preset="default") == srlens.Method("lam")
    chosen = srlens.Method("lam", steps=7, sigma=2.0, detector="gabor")
    assert chosen.but(preset="paper") == srlens.Method("lam", preset="paper", steps=7, sigma=2.0, detector="gabor")
    assert chosen.but(preset="paper").but(preset="default") == chosen


@pytest.mark.parametrize("name", list(srlens.METHODS))
@pytest.mark.parametrize("other", list(srlens.METHODS))
def test_another_method_has_settings_of_its_own(name: str, other: str) -> None:
    method = srlens.Method(name, detector="gabor", preset="paper", **({"block": 2} if name == "occlusion" else {}))
    changed = method.but(method=other)
    assert changed == (method if name == other else srlens.Method(other, detector="gabor", preset="paper"))
    assert method.but() == method == srlens.Method.from_record(method.to_record())


RULE = Rule("thirds", "uniform", lambda n: Nodes((np.arange(n) + 1 / 3) / n, np.linspace(0, 1, n + 1)), default_steps=4)


@dataclass(frozen=True)
class Raised:
    """A curve with a setting of its own: γ(α) = I' + α^power (I − I')."""

    baseline: srlens.Baseline
    power: float = 2.0
    curve = "raised"

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        start = self.baseline.of(image)
        return start + alpha[:, None, None, None] ** self.power * (image - start)


def test_objects_of_ones_own_stay_when_something_else_changes(make_network, image) -> None:
    mine = srlens.Detector("mine", lambda patch: patch.square().sum(dim=(1, 2, 3)))
    path = Raised(srlens.BASELINES["black"](), power=3.0)
    method = srlens.Method("lam", path=path, rule=RULE, detector=mine).but(steps=3)
    assert (method.algorithm.path, method.algorithm.rule, method.detector) == (path, RULE, mine)
    result = srlens.attribute(make_network(), image, WINDOW, method)
    assert (result.evaluations, result.method.to_record()["power"]) == (3, 3.0)
    assert srlens.Method("linear-blur", path=srlens.LinearFromBlur(2.0)) == srlens.Method("linear-blur", sigma=2.0)
    assert srlens.Method("linear-blur", sigma=2.0).but(steps=3).to_record()["sigma"] == 2.0


def test_settings_of_a_curve_are_settings(monkeypatch) -> None:
    monkeypatch.setitem(srlens.CURVES, "raised", Raised)
    method = srlens.Method("lam", path="raised-blur", power=3.0, sigma=2.0)
    assert method == srlens.Method.from_record(json.loads(json.dumps(method.to_record())))
    assert method.but(power=1.5).to_record()["sigma"] == 2.0
    assert "power=3.0" in repr(method)


def test_numbers_of_other_libraries_are_written_down_as_plain_ones() -> None:
    given = {"sigma": np.float32(1.5), "kernel": np.int64(11), "steps": np.uint8(7), "max_steps": np.int64(20)}
    record = json.loads(json.dumps(srlens.Method("lam", **given).to_record()))
    assert record == srlens.Method("lam", sigma=1.5, kernel=11, steps=7, max_steps=20).to_record()
    assert json.dumps(srlens.Method("lam", tolerance=Fraction(1, 8)).to_record())
    assert srlens.Method("lam", sigma=np.float32(2)).to_record()["kernel"] == 13
    assert json.dumps(srlens.Method("occlusion", block=np.int64(3), stride=np.int64(2)).to_record())


@pytest.mark.parametrize(
    "record", [{}, {"method": None}, {"method": "lam", "steps": "7"}, {"method": "lam", "power": 2}]
)
def test_records_of_no_method_are_refused(record) -> None:
    with pytest.raises(SettingError):
        srlens.Method.from_record(record)


class Classless:
    """A path that is no dataclass, whose settings cannot be written down."""

    baseline, curve = srlens.BASELINES["black"](), "classless"

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        return alpha[:, None, None, None] * image


def test_a_path_must_be_a_dataclass() -> None:
    with pytest.raises(SettingError, match="frozen dataclass that holds its baseline"):
        srlens.Method("lam", path=Classless())


@pytest.mark.parametrize("settings", [{"block": 1}, {"block": 4}, {"block": 2, "sigma": 9.0}])
@pytest.mark.parametrize("side", [1, 2, 4])
def test_occlusion_of_tiny_images(make_network, side: int, settings) -> None:
    network, image = make_network(), torch.rand(3, side, side, dtype=torch.float64)
    window = srlens.Window(0, 0, 2, 2)
    with pytest.raises((SettingError, ImageTooSmallError), match=f"{side}×{side}"):
        srlens.attribute(network, image, window, "occlusion", **settings)
    if "sigma" not in settings and settings["block"] <= side:
        result = srlens.attribute(network, image, window, "occlusion", fill="black", detector="intensity", **settings)
        assert result.map.any()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"measure": 5}, "must be a function, got 5"),
        ({"margin": 1}, "four numbers"),
        ({"margin": (1, 2)}, "four numbers"),
        ({"margin": (0, 0, -1, 0)}, "margin must be a whole number of at least 0, got -1"),
        ({"margin": (0, 0.5, 1, 0)}, "margin must be a whole number"),
        ({"smallest": 0}, "smallest must be a whole number of at least 1"),
    ],
)
def test_detectors_that_cannot_be(given, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        srlens.Detector(**{"name": "odd", "measure": lambda patch: patch.sum((1, 2, 3)), **given})


@pytest.mark.parametrize(
    ("measure", "kind", "words"),
    [
        (lambda patch: patch.sum((1, 2, 3)) * float("nan"), NotFiniteError, "detector 'odd' is NaN or infinite"),
        (lambda patch: torch.ones(len(patch)), NotDifferentiableError, "detector 'odd' is not differentiable"),
        (lambda patch: patch.detach().sum((1, 2, 3)), NotDifferentiableError, "detector 'odd' is not differentiable"),
        (lambda patch: torch.from_numpy(patch.numpy().sum((1, 2, 3))), NotDifferentiableError, "detector 'odd' is not"),
    ],
)
def test_a_detector_that_fails_is_named_and_not_the_network(make_network, image, measure, kind, words: str) -> None:
    with pytest.raises(kind, match=words):
        srlens.attribute(make_network(), image, WINDOW, detector=srlens.Detector("odd", measure))
