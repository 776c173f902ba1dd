"""Sensitivity: values, ranks, and what is said about them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from srlens.attribution.attribute import attribute
from srlens.attribution.path import LinearFromBlur, ProgressiveBlur
from srlens.comparison.subject import Subject
from srlens.comparison.sweep import Sweep, SweepPoint, sweep
from srlens.errors import SettingError
from srlens.imaging.window import Window
from srlens.networks.network import Network

WINDOW = Window(24, 28, 8, 8)


def test_each_point_is_what_attribute_gives(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    subject = make_subject()
    calls: list[tuple[int, int]] = []
    swept = sweep(networks, subject, WINDOW, "sigma", (2.0, 0.8), steps=3, progress=lambda *a: calls.append(a))
    assert swept.values == (0.8, 2.0)
    assert calls == [(k, 4) for k in range(1, 5)]
    expected = attribute(networks[1], subject.lr, WINDOW, steps=3, path=ProgressiveBlur(sigma=2.0, kernel=13))
    assert np.array_equal(swept.points["wide"][1].result.map, expected.map)
    frame = swept.to_frame()
    assert frame.height == 4
    assert frame["diffusion_index"].to_list() == [
        p.result.diffusion_index for row in swept.points.values() for p in row
    ]
    assert set(frame["lr_height"]) == {32}


def test_ranks_are_the_order_of_the_indices(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    swept = sweep(networks, make_subject(), WINDOW, "steps", (2, 4), steps=99)
    for k, value in enumerate(swept.values):
        points = [row[k] for row in swept.points.values()]
        assert [point.result.evaluations for point in points] == [value, value]
        ordered = sorted(points, key=lambda point: point.rank)
        assert [point.rank for point in ordered] == [1, 2]
        assert ordered[0].result.diffusion_index >= ordered[1].result.diffusion_index
    assert swept.points["wide"][0].rank == 1
    assert not swept.moved
    assert "does not change" in swept.summary


def test_a_change_of_order_is_said(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    swept = sweep(networks, make_subject(), WINDOW, "steps", (2, 4))
    narrow, wide = swept.points["narrow"], swept.points["wide"]
    crossed = {
        "narrow": (narrow[0], SweepPoint(4, wide[1].result, 1)),
        "wide": (wide[0], SweepPoint(4, narrow[1].result, 2)),
    }
    changed = Sweep("steps", WINDOW, crossed)
    assert changed.moved
    assert changed.moved == {"narrow": (1, 2), "wide": (1, 2)}
    assert "changes: narrow (rank 1 to 2), wide (rank 1 to 2)" in changed.summary
    alone = replace(changed, points={"narrow": narrow})
    assert "of narrow lies between" in alone.summary


def test_the_window_grows_about_its_centre(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    swept = sweep(networks[:1], make_subject(), WINDOW, "window", (4, 16), steps=2)
    assert [point.result.window for point in swept.points["narrow"]] == [Window(26, 30, 4, 4), Window(20, 24, 16, 16)]
    corner = sweep(networks[:1], make_subject(), Window(0, 60, 4, 4), "window", (12,), steps=2)
    assert corner.points["narrow"][0].result.window == Window(0, 52, 12, 12)


def test_the_path_keeps_what_is_not_swept(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    path = LinearFromBlur(sigma=1.0, kernel=9)
    swept = sweep(networks[:1], make_subject(), WINDOW, "kernel", (7, 11), steps=2, path=path)
    assert [point.result.method.algorithm.path for point in swept.points["narrow"]] == [
        LinearFromBlur(1.0, 7),
        LinearFromBlur(1.0, 11),
    ]


@pytest.mark.parametrize(
    ("setting", "values", "settings", "words"),
    [
        ("colour", (1,), {}, "known: sigma"),
        ("sigma", (), {}, "at least one value"),
        ("window", (7.5,), {}, "whole numbers"),
        ("sigma", (1.0,), {"path": "linear-black"}, "cannot be swept"),
        ("sigma", (-1.0,), {}, "positive"),
    ],
)
def test_what_cannot_be_swept(
    setting: str,
    values: tuple[float, ...],
    settings: dict[str, object],
    words: str,
    networks: list[Network],
    make_subject: Callable[..., Subject],
) -> None:
    with pytest.raises(SettingError, match=words):
        sweep(networks, make_subject(), WINDOW, setting, values, steps=2, **settings)  # type: ignore[arg-type]


def test_scales_must_agree(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    other = Network.wrap(torch.nn.Upsample(scale_factor=4), scale=4, name="other")
    with pytest.raises(SettingError, match="scales 2, 4; a sweep needs one scale"):
        sweep([networks[0], other], make_subject(), WINDOW, "steps", (2,))
    with pytest.raises(SettingError, match="at least one network"):
        sweep([], make_subject(), WINDOW, "steps", (2,))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "3", None, True])
@pytest.mark.parametrize("setting", ["sigma", "steps", "window", "kernel"])
def test_values_that_are_no_numbers_are_refused(networks, make_subject, setting, value) -> None:
    with pytest.raises(SettingError, match=f"{setting} must be finite numbers"):
        sweep(networks, make_subject(), WINDOW, setting, (2, value))


def test_two_networks_of_one_name_are_refused(networks, make_subject) -> None:
    with pytest.raises(SettingError, match="Two networks are called narrow"):
        sweep([networks[0], networks[0]], make_subject(), WINDOW, "steps", (2,))
