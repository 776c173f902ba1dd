"""What is on the screen as a link, as a command and as Python lines."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any
from urllib.parse import urlencode

from srlens.attribution.settings import SETTINGS
from srlens.errors import SettingError
from srlens.networks.catalog import shipped_name
from srlens.web.asset import asset
from srlens.web.choices import DEFAULTS, STYLES, Choices, accepted, allowed

_NAMES: Mapping[str, tuple[str, ...]] = {"style": STYLES}
_NUMBERS = ("size", "sampler_seed")
_LONGEST = 200  # characters of one value of a link


def to_query(choices: Choices) -> str:
    """The choices as URL query, without ``?``; what has its default is left out, except picture and networks."""
    query: dict[str, str] = {"picture": choices.picture, "networks": ",".join(choices.networks)}
    if not choices.is_hr:
        query["kind"] = "lr"
    if choices.top is not None and choices.left is not None:
        query["window"] = f"{choices.top},{choices.left}"
    own = {name: getattr(choices, name) for name in ("size", "degradation", "sampler_seed", *_NAMES)}
    query |= {name: _text(value) for name, value in own.items() if value != getattr(DEFAULTS, name)}
    query |= {name: _text(value) for name, value in choices.settings.items()}
    return urlencode(query, safe=",")


def from_query(query: Mapping[str, str], known_networks: tuple[str, ...]) -> tuple[Choices, list[str]]:
    """The choices of a link, and one sentence for each part that could not be used and has its default instead.

    Nothing in a link names a file of the server: a picture is a packaged photograph, or just a name to ask the user
    for; networks are looked up in ``known_networks``.
    """
    changes: dict[str, Any] = {}
    complaints: list[str] = []
    given = {name: value[:_LONGEST] for name, value in query.items()}
    if "picture" in given:
        changes["picture"] = PurePath(given["picture"]).name or DEFAULTS.picture
    if "kind" in given:
        changes["is_hr"] = given["kind"] != "lr"
    if "networks" in given:
        wanted = [name for name in query["networks"][: 10 * _LONGEST].split(",") if name]
        found = tuple(dict.fromkeys(name for name in wanted if name in known_networks))
        missing = [name[:80] for name in wanted if name not in known_networks]
        if missing:
            complaints.append(f"Not on this page: {', '.join(missing[:6])}. Add the file under “your own network”.")
        changes["networks"] = found
    if "window" in given:
        place = _window(given["window"])
        if place is None:
            complaints.append(f"The link's window {given['window']!r} is no TOP,LEFT in SR pixels.")
        else:
            changes["top"], changes["left"] = place
    if "degradation" in given:
        try:
            changes["degradation"] = allowed(given["degradation"])
        except SettingError as error:
            complaints.append(f"The link's degradation: {error}")
    numbers = dict.fromkeys(_NUMBERS, int) | {one.name: one.kind for one in SETTINGS if one.kind is not str}
    words = {**_NAMES, **{one.name: accepted(one) for one in SETTINGS if one.kind is str}}
    found_settings: dict[str, Any] = {}
    for name, text in given.items():
        target = changes if name in (*_NUMBERS, *_NAMES) else found_settings
        if name in numbers:
            try:
                target[name] = numbers[name](text)
            except ValueError:
                complaints.append(f"The link's {name} {text!r} is no number.")
        elif name in words and text in words[name]:
            target[name] = text
        elif name in words:
            complaints.append(f"The link's {name} {text!r} is unknown; known: {', '.join(words[name])}.")
    return replace(DEFAULTS, settings=found_settings, **changes), complaints


def _text(value: Any) -> str:
    return str(value).removesuffix(".0")


def _window(text: str) -> tuple[int, int] | None:
    parts = text.split(",")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        return int(parts[0]), int(parts[1])
    return None


def command_line(choices: Choices) -> str:
    """The command that computes what is on the screen, to be run where the user's files are."""
    verb = "explain" if len(choices.networks) == 1 else "compare"
    words = ["srlens", verb, *(_word(name) for name in choices.networks), choices.picture]
    if choices.is_hr:
        words.append("--hr")
        if choices.degradation is not None:
            words += ["--degradation", choices.degradation]
    if choices.top is not None and choices.left is not None:
        words += ["--window", f"{choices.top},{choices.left},{choices.size}"]
    for name, value in choices.settings.items():
        words += [f"--{name.replace('_', '-')}", _text(value)]
    if choices.sampler_seed != DEFAULTS.sampler_seed:
        words += ["--sampler-seed", str(choices.sampler_seed)]
    if choices.style != DEFAULTS.style:
        words += ["--style", choices.style]
    return shlex.join(words)


def python_lines(choices: Choices, scale: int) -> str:
    """The Python program that computes what is on the screen."""
    given = "".join(f", {name}={value!r}" for name, value in choices.settings.items())
    if choices.sampler_seed != DEFAULTS.sampler_seed:
        given += f", seed={choices.sampler_seed}"
    picture = f"srlens.open_image({choices.picture!r})"
    made = f"lr = {picture}"
    if choices.is_hr:
        made = f"hr = {picture}\nlr = srlens.degrade(hr, {choices.made_by!r}, scale={scale})"
        given += ", clean=hr"
    networks = "\n".join(f"    srlens.open_network({_word(name)!r})," for name in choices.networks)
    return asset("program.txt").format(choices=choices, made=made, networks=networks, given=given)


def _word(name: str) -> str:
    """A network as the command line names it."""
    return shipped_name(name) or name
