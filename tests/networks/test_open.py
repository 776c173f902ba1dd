import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import srlens
from srlens.errors import AmbiguousNameWarning, CheckpointError, ModuleError, NotDifferentiableError, SettingError
from srlens.networks import open as open_module
from srlens.networks.catalog import SHIPPED_FOR, catalog
from srlens.networks.network import Network
from srlens.networks.open import load_default, open_network
from srlens.networks.origin import Origin
from srlens.networks.user_module import load_module_network

USER_CODE = """
import torch
from torch import nn
import srlens

def build():
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)).train()

def ready():
    return srlens.Network.wrap(build(), scale=2, name="ready", multiple=4)

def grey():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2))

class Detached(nn.Module):
    def forward(self, x):
        return nn.functional.interpolate(x.detach(), scale_factor=2)

class Picky(nn.Module):
    def forward(self, x):
        return nn.functional.interpolate(x.view(x.shape[0], 3, 25, 10), scale_factor=2)

def broken():
    raise KeyError("no weights")

def text():
    return "a network"

answer = 42
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder with the user's module ``user_networks`` in it."""
    (tmp_path / "user_networks.py").write_text(USER_CODE)
    (tmp_path / "needs_more.py").write_text("import a_library_that_is_not_there")
    (tmp_path / "crashes.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    for name in ("user_networks", "needs_more", "crashes"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("name", SHIPPED_FOR["sr"])
def test_shipped_networks_by_either_name(name: str) -> None:
    short, long = open_network(name), open_network(catalog()[name].title)
    assert short.name == long.name == f"srlens-{name}-x4"
    assert short.digest == long.digest == load_default(name).digest
    assert (short.scale, short.channels, short.value_range) == (4, 3, 1.0)
    assert short.source is not None
    assert "shipped" in short.source
    assert not any(parameter.requires_grad for parameter in short.module.parameters())


def test_kinds_and_receptive_fields_of_shipped_networks() -> None:
    plain, channel, nonlocal_ = (load_default(name) for name in SHIPPED_FOR["sr"])
    assert (plain.kind, channel.kind, nonlocal_.kind) == ("convolution", "global pooling", "non-local")
    assert plain.receptive_field.true == plain.receptive_field.paper == 21
    assert channel.receptive_field.is_global
    assert nonlocal_.receptive_field.is_global


def test_load_default_is_public_and_plain_by_default() -> None:
    assert srlens.load_default().name == "srlens-plain-x4"
    with pytest.raises(SettingError, match=r"'edsr'.*plain, channel, nonlocal"):
        srlens.load_default("edsr")


def test_settings_reach_a_shipped_network() -> None:
    network = open_network("plain", dtype=torch.float64, name="mine", value_range=255.0)
    assert (network.dtype, network.name, network.value_range) == (torch.float64, "mine", 255.0)
    with pytest.raises(SettingError, match="no scale 2"):
        open_network("plain", scale=2)
    with pytest.raises(SettingError, match="must be positive"):
        open_network("plain", value_range=-1.0)


def test_a_file(shared: Path) -> None:
    file = shared / "weights" / "carn-m-multiscale.pth"
    assert open_network(file).scale == open_network(str(file)).scale == 4
    assert open_network(file, scale=2, name="two").name == "two"


def test_a_published_network_with_what_the_catalogue_knows(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"fsrcnn-x4": "fsrcnn-y-x4.pth", "carn-m": "carn-m-multiscale.pth", "rfdn-x4": "rfdn-x4.pth"}
    monkeypatch.setattr(open_module, "fetch", lambda name: shared / "weights" / files[name])
    network = open_network("fsrcnn-x4")
    assert (network.name, network.scale, network.family) == ("fsrcnn-x4", 4, "FSRCNN")
    assert network.source == f"fsrcnn-x4 ({catalog()['fsrcnn-x4'].url})"
    assert open_network("carn-m").scale == 4
    assert open_network("carn-m", scale=3).scale == 3
    assert open_network("rfdn-x4").value_range == 255.0
    assert open_network("rfdn-x4", value_range=1.0).value_range == 1.0


def test_the_catalogue_agrees_with_the_files(shared: Path) -> None:
    entry = catalog()["rlfn-x4"]
    network = open_network(shared / "weights" / "rlfn-x4.pth")
    assert (network.family, network.value_range) == (entry.family, entry.value_range)


@pytest.mark.usefixtures("folder")
def test_names_come_before_files_and_a_path_is_always_a_file() -> None:
    Path("plain").write_bytes(b"")
    with pytest.warns(AmbiguousNameWarning, match=r"'plain' is taken as the name.*Write ./plain for the file"):
        assert open_network("plain").family == "SmallSR"
    for file in (Path("plain"), "./plain"):
        with pytest.raises(CheckpointError, match="empty"):
            open_network(file)


@pytest.mark.usefixtures("folder")
def test_nothing_found_says_what_is_accepted_and_what_is_close() -> None:
    Path("my-edsr.pth").touch()
    with pytest.raises(CheckpointError, match=r"'imdnx4'. Did you mean imdn-x4") as raised:
        open_network("imdnx4")
    assert "plain, channel, nonlocal" in str(raised.value)
    assert ".safetensors" in str(raised.value)
    with pytest.raises(CheckpointError, match=r"No file my-esdr.pth. Did you mean my-edsr.pth"):
        open_network("my-esdr.pth")
    with pytest.raises(CheckpointError, match="Did you mean nonlocal"):
        open_network("non-local")


def test_an_address_goes_through_its_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match=r"kind ftp:// are not known \(known: hf://\).*Download the file"):
        open_network("ftp://owner/repository/file.pth")
    monkeypatch.setitem(open_module.SCHEMES, "lab", lambda rest: Origin(open_module.fetch(rest), f"lab {rest}", "own"))
    network = open_network("lab://plain")
    assert (network.family, network.source, network.name) == ("SmallSR", "lab plain", "own")


@pytest.mark.usefixtures("folder")
def test_own_code_is_never_run_unasked() -> None:
    with pytest.raises(CheckpointError, match=r"executes your own code.*--module"):
        open_network("user_networks:build")
    assert "user_networks" not in sys.modules


@pytest.mark.usefixtures("folder")
def test_own_module() -> None:
    path = list(sys.path)
    network = open_network("user_networks:build", module=True, scale=2, value_range=255.0, dtype=torch.float64)
    assert (network.scale, network.value_range, network.channels) == (2, 255.0, 3)
    assert (network.name, network.dtype) == ("user_networks:build", torch.float64)
    assert not network.module.training
    assert sys.path == path


@pytest.mark.usefixtures("folder")
def test_own_module_of_one_channel() -> None:
    network = load_module_network("user_networks:grey", scale=2, channels=1, name="grey")
    assert (network.channels, network.colour, network.name) == (1, "y", "grey")


@pytest.mark.usefixtures("folder")
def test_own_network_is_taken_as_it_is() -> None:
    network = load_module_network("user_networks:ready", scale=2)
    assert isinstance(network, Network)
    assert (network.name, network.padding.multiple) == ("ready", 4)
    with pytest.raises(SettingError, match="scale 2, but scale=4"):
        load_module_network("user_networks:ready", scale=4)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("user_networks", "not of the form package.module:factory"),
        ("user networks:build", "not of the form"),
        ("user_networks:", "not of the form"),
        ("not_there:build", r"No module 'not_there' in .* PYTHONPATH"),
        ("user_networks.deeper:build", "No module"),
        ("needs_more:build", "'a_library_that_is_not_there' is not installed"),
        ("crashes:build", "Importing crashes failed: ZeroDivisionError"),
        ("user_networks:biuld", "Did you mean build"),
        ("user_networks:answer", "no function or class 'answer'"),
        ("user_networks:broken", r"broken\(\) failed: KeyError"),
        ("user_networks:text", "returned a str"),
    ],
)
def test_own_code_that_is_no_good(spec: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        load_module_network(spec, scale=2)


@pytest.mark.usefixtures("folder")
def test_own_module_that_takes_certain_sizes_only() -> None:
    words = r"Picky fails on an input of \(1, 3, 64, 64\) in float32: RuntimeError: shape .* is invalid.*multiple="
    with pytest.raises(ModuleError, match=words):
        load_module_network("user_networks:Picky", scale=2)


@pytest.mark.usefixtures("folder")
def test_own_module_needs_a_scale_and_a_gradient() -> None:
    with pytest.raises(SettingError, match="give its scale"):
        load_module_network("user_networks:build")
    with pytest.raises(NotDifferentiableError):
        load_module_network("user_networks:Detached", scale=2)


def test_wrapping_by_hand_needs_no_spec() -> None:
    module = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
    assert Network.wrap(module, scale=2).family is None
