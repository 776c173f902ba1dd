import contextlib
import io
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import srlens
from srlens.attribution.settings import SETTINGS
from srlens.imaging.degrade import DEGRADATIONS
from srlens.web.choices import DEFAULTS, Choices, accepted
from srlens.web.share import command_line, from_query, python_lines, to_query

NETWORKS = ("plain", "channel", "nonlocal", "imdn, x4.pth".replace(", ", "-"))


def parsed(query: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(query, keep_blank_values=True))


def optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


@settings(deadline=None, max_examples=60)
@given(
    st.builds(
        Choices,
        picture=st.sampled_from(["pagoda", "house 1.png", "ü&=?.png"]),
        is_hr=st.booleans(),
        degradation=optional(st.sampled_from([*(one.written for one in DEGRADATIONS.values()), "haze:1,airlight=0.9"])),
        top=st.integers(0, 9999),
        left=st.integers(0, 9999),
        size=st.integers(1, 256),
        networks=st.lists(st.sampled_from(NETWORKS), unique=True).map(tuple),
        settings=st.fixed_dictionaries(
            {},
            optional={
                one.name: st.sampled_from(accepted(one))
                if one.kind is str
                else st.integers(1, 2000)
                if one.kind is int
                else st.sampled_from([0.05, 0.1, 0.025, 1.2, 2.5])
                for one in SETTINGS
            },
        ),
        style=st.sampled_from(["default", "paper"]),
        sampler_seed=st.integers(0, 2**32 - 1),
    )
)
def test_a_link_restores_every_setting(choices: Choices) -> None:
    restored, complaints = from_query(parsed(to_query(choices)), NETWORKS)
    assert restored == choices
    assert complaints == []


def test_what_a_link_gets_wrong_is_said_and_has_its_default() -> None:
    query = {"window": "a,b", "size": "big", "preset": "best", "networks": "plain,../../secret", "detector": "gradient"}
    choices, complaints = from_query(query, NETWORKS)
    assert (choices.top, choices.size, choices.settings) == (None, DEFAULTS.size, {"detector": "gradient"})
    assert choices.networks == ("plain",)
    assert len(complaints) == 4


@pytest.mark.parametrize("value", ["/etc/passwd", "../../etc/passwd", "", "x" * 5000, "\x00"])
def test_a_link_names_no_file_of_the_server(value: str) -> None:
    choices, _ = from_query({"picture": value}, NETWORKS)
    assert "/" not in choices.picture
    assert len(choices.picture) <= 200


@pytest.mark.parametrize(
    "value", ["magic", "noise", "blur:kernel=/etc/passwd", "haze:1,depth=secret.npy", "rain:layer=x"]
)
def test_a_link_has_no_degradation_that_is_none_or_names_a_file(value: str) -> None:
    choices, complaints = from_query({"degradation": value}, NETWORKS)
    assert choices.degradation is None
    assert len(complaints) == 1


def test_the_command_line_is_what_the_command_understands() -> None:
    choices = Choices(picture="my house.png", top=3, left=5, networks=("plain", "a b.pth")).but(sigma=2.0, steps=16)
    words = shlex.split(command_line(choices))
    assert words[:6] == ["srlens", "compare", "plain", "a b.pth", "my house.png", "--hr"]
    assert words[words.index("--window") + 1] == "3,5,16"
    assert words[words.index("--sigma") + 1] == "2"
    assert words[words.index("--steps") + 1] == "16"


def test_the_noise_is_named_where_it_is_chosen() -> None:
    choices = Choices(networks=("plain", "diffusion"))
    for made in (command_line, lambda one: python_lines(one, 4), to_query):
        assert "seed" not in made(choices)
    chosen = Choices(networks=("plain", "diffusion"), sampler_seed=5)
    assert command_line(chosen).endswith("--sampler-seed 5")  # --seed is that of the degradation
    assert "window, seed=5, clean=hr)" in python_lines(chosen, 4)
    assert to_query(chosen).endswith("sampler_seed=5")


def test_one_network_is_explained() -> None:
    assert command_line(Choices(networks=("plain",))).startswith("srlens explain plain pagoda --hr")


def test_the_python_lines_compute_what_is_shown() -> None:
    choices = Choices(networks=("plain",), top=96, left=120).but(steps=3, sigma=1.0, preset="paper")
    assert [line for line in python_lines(choices, 4).splitlines() if "import" in line] == ["import srlens"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(python_lines(choices, 4), {})
    lr = srlens.make_lr(_sample(), 4, "pil")
    window = srlens.Window(top=96, left=120, height=16, width=16)
    expected = srlens.attribute(srlens.load_default("plain"), lr, window, **choices.settings)
    assert float(printed.getvalue().split()[1]) == expected.diffusion_index


def _sample() -> Tensor:
    from srlens.imaging.samples import sample_image

    return sample_image("pagoda")


def test_numbers_keep_their_digits() -> None:
    """A link rounded them to six."""
    choices = Choices().but(tolerance=0.0123456789, sigma=2.0)
    assert "--tolerance 0.0123456789 --sigma 2" in command_line(choices)
    assert from_query(parsed(to_query(choices)), NETWORKS)[0] == choices


def test_the_python_lines_give_the_clean_picture_to_detectors_that_read_it(tmp_path: Path) -> None:
    file = tmp_path / "odd.png"
    srlens.write_image(file, _sample()[:, 50:147, 60:161])  # no multiples of the scale
    choices = Choices(picture=str(file), networks=("plain",), top=40, left=60).but(detector="error", steps=2)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(python_lines(choices, 4), {})
    subject = srlens.read_subject(file, 4, is_hr=True)
    expected = srlens.compare([srlens.load_default("plain")], subject, choices.window, **choices.settings)
    assert float(printed.getvalue().split()[1]) == expected.rows[0].result.diffusion_index
