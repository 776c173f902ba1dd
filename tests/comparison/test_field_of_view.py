"""Fields of view: support within the theoretical field, the map within the support, and the numbers of the table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.comparison.effective import central_window
from srlens.comparison.field_of_view import fields_of_view, to_frame
from srlens.comparison.subject import Subject
from srlens.comparison.support import gradient_support, theoretical_bounds
from srlens.errors import ImageTooSmallError, SettingError
from srlens.networks.network import Network
from srlens.networks.open import open_network
from srlens.records.output import write_fields_of_view


@pytest.mark.parametrize(
    ("spec", "side"), [("plain", 40), ("fsrcnn-y-x4.pth", 40), ("carn-m-multiscale.pth", 56), ("pan-x4.pth", 80)]
)
def test_support_lies_within_the_theoretical_field(spec: str, side: int, shared: Path) -> None:
    network = open_network(str(shared / "weights" / spec) if "." in spec else spec, scale=4)
    assert network.receptive_field.known
    assert not network.receptive_field.is_global
    for size in (4, 6):
        window = central_window(side, side, 4, size)
        top, left, bottom, right = gradient_support(network, window, side, side, draws=1).bounds
        bound = theoretical_bounds(network, window, side, side)
        assert bound[0] > 0, "choose a larger image"
        assert bound[0] <= top < bottom <= bound[2]
        assert bound[1] <= left < right <= bound[3]


def test_fields_of_two_networks(networks: list[Network], make_subject: Callable[..., Subject], tmp_path: Path) -> None:
    said: list[str] = []

    def progress(what: str) -> Callable[[int, int], None]:
        said.append(what)
        return lambda *_: None

    fields = fields_of_view(
        networks, [make_subject(hr=False)], side=20, places=3, window_size=8, steps=3, progress=progress
    )
    narrow, wide = fields
    assert narrow.support_size == (3, 3)
    assert wide.support_size == (9, 9)
    assert not narrow.support.is_whole_image
    assert [field.effective.images for field in fields] == [3, 3]
    assert narrow.effective.radii[0.95] <= 2**0.5 < wide.effective.radii[0.95] <= 4 * 2**0.5
    assert narrow.lam_area < wide.lam_area
    # 8 SR pixels are 4 LR pixels, the detector reads one SR pixel more, the network 4 LR pixels to each side.
    assert wide.lam_area <= (5 + 8) ** 2
    assert narrow.attribution.lr_size == (20, 20)
    assert len(said) == 6
    frame = to_frame(fields)
    assert frame["support_pixels"].to_list() == [9, 81]
    assert frame["lam_radius95"].to_list() == [narrow.lam_radius, wide.lam_radius]
    assert "receptive_field_used" not in frame.columns  # unknown
    files = write_fields_of_view(fields, tmp_path)
    assert {file.name for file in files} == {f"field-of-view.{ending}" for ending in ("png", "pdf", "csv", "parquet")}
    assert polars.read_parquet(tmp_path / "field-of-view.parquet")["effective_radius90"].to_list() == [
        field.effective.radii[0.9] for field in fields
    ]


def test_the_map_is_a_small_part_of_the_field(make_subject: Callable[..., Subject]) -> None:
    (plain,) = fields_of_view(
        [open_network("plain")], [_at_scale_four(make_subject)], side=28, places=2, window_size=8, steps=3
    )
    assert plain.explained.within_reach is not None
    assert plain.lam_area < plain.explained.within_reach
    assert plain.record()["receptive_field_used"] == plain.lam_area / plain.explained.within_reach
    assert plain.record()["receptive_field_side"] == 21


def test_a_detector_that_reads_the_clean_picture_is_given_it(
    networks: list[Network], make_subject: Callable[..., Subject]
) -> None:
    def squared(patch: Tensor, clean: Tensor) -> Tensor:
        return (patch - clean).square().sum(dim=(1, 2, 3))

    error = Detector("squared error", squared, reads=("clean",))
    given: dict[str, Any] = {"side": 20, "places": 1, "window_size": 8, "steps": 2, "detector": error}
    (field,) = fields_of_view(networks[:1], [make_subject(96)], **given)
    assert field.explained.psnr_window is not None
    with pytest.raises(SettingError, match="clean"):
        fields_of_view(networks[:1], [make_subject(96, hr=False)], **given)


def test_two_networks_of_one_name_are_refused(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    with pytest.raises(SettingError, match="Two networks are called narrow"):
        fields_of_view([networks[0], networks[0]], [make_subject(96)], side=20, places=1)


def _at_scale_four(make_subject: Callable[..., Subject]) -> Subject:
    hr = make_subject(128).hr
    assert hr is not None
    return Subject.from_hr(hr, 4, name="roof")


def test_what_cannot_be_measured(networks: list[Network], make_subject: Callable[..., Subject]) -> None:
    subject = make_subject(hr=False)
    with pytest.raises(SettingError, match="at least one"):
        fields_of_view([], [subject])
    with pytest.raises(SettingError, match="scales"):
        fields_of_view([networks[0], open_network("plain")], [subject])
    with pytest.raises(SettingError, match="places"):
        fields_of_view(networks, [subject], side=20, places=0)
    with pytest.raises(ImageTooSmallError):
        fields_of_view(networks, [subject], side=200)
