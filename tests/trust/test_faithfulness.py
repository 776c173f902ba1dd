"""Gains of a map over other orders, for networks of which the best order is known."""

from collections.abc import Callable

import pytest
from torch import Tensor

import srlens
from srlens.trust.faithfulness import faithfulness

WINDOW = srlens.Window(10, 12, 8, 8)


def test_the_map_of_a_network_that_reads_far_pixels_beats_the_order_of_distance(
    reads_pixels: Callable[..., srlens.Network], image: Tensor
) -> None:
    image = image / 2
    image[:, [2, 21], [3, 27]] = 1
    network = reads_pixels((2, 3), (21, 27), weight=8.0)
    result = srlens.attribute(network, image, WINDOW, steps=10)
    (found,) = faithfulness(network, image, [result])
    assert found.gains.keys() == {"blur", "patches"}
    assert all(gains.keys() == {"distance", "gradient", "ig-black"} for gains in found.gains.values())
    assert all(gains["distance"] > 0.2 for gains in found.gains.values())
    assert found.agree("distance")
    assert found.over("distance") == pytest.approx(sum(g["distance"] for g in found.gains.values()) / 2)
    assert found.correlation is not None
    assert found.correlation > 0.9


def test_a_map_is_not_held_against_its_own_method(reads_pixels: Callable[..., srlens.Network], image: Tensor) -> None:
    network = reads_pixels((2, 3), weight=2.0)
    (found,) = faithfulness(network, image, [srlens.attribute(network, image, WINDOW, "gradient")])
    assert found.over("gradient") is None
    assert found.agree("gradient") is None
    assert found.over("ig-black") is not None


def test_maps_tested_together_get_what_each_gets_alone(
    reads_pixels: Callable[..., srlens.Network], image: Tensor
) -> None:
    network = reads_pixels((2, 3), weight=2.0)
    results = [srlens.attribute(network, image, WINDOW, name) for name in ("gradient", "ig-black", "gradient-input")]
    together = faithfulness(network, image, results, rivals=())
    alone = [faithfulness(network, image, [result], rivals=())[0] for result in results]
    assert [found.gains for found in together] == [found.gains for found in alone]
    assert [(found.correlation, found.slope) for found in together] == [(f.correlation, f.slope) for f in alone]
    assert together[0].passes < sum(found.passes for found in alone)
