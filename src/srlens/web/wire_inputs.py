"""Events of the left side: the picture, the window, the networks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from srlens.imaging.samples import SAMPLES
from srlens.web.choices import Choices
from srlens.web.picker import window_at, window_value
from srlens.web.results import OLD, message_html
from srlens.web.session import Session
from srlens.web.wire_task import wire_task
from srlens.web.wiring import QUIET, Wiring


def wire_picture(wiring: Wiring) -> None:
    """Picture and window."""
    page, parts = wiring.page, wiring.parts
    told = wiring.told(parts.picture_message)

    def show(session: Session, values: tuple[Any, ...], choose: Callable[[Choices], Any]) -> dict[Any, Any]:
        """The picture, or the same one taken otherwise, without a window; what is refused changes nothing."""
        choices = replace(wiring.choices(session, values), top=None, left=None)
        choose(choices)
        value, scale = wiring.picker(session, choices), page.scale(session, choices)
        return {
            parts.picker: value,
            parts.picture_message: message_html(_described(session, value, choices, scale)),
            parts.top: None,
            parts.left: None,
            parts.results: gr.HTML(elem_classes=OLD),
            **{part: type(part)(**label) for part, label in wiring.labels(scale).items()},
        }

    @told
    def use_sample(request: gr.Request, name: str, *values: Any) -> dict[Any, Any]:
        session = wiring.session(request)
        return show(session, values, lambda choices: page.use_sample(session, name, choices))

    @told
    def use_upload(request: gr.Request, file: str, *values: Any) -> dict[Any, Any]:
        session = wiring.session(request)
        return show(session, values, lambda choices: page.use_upload(session, Path(file), choices))

    @told
    def refresh(request: gr.Request, *values: Any) -> dict[Any, Any]:
        session = wiring.session(request)
        return show(session, values, lambda choices: page.sr_size(session, choices))

    def chosen(request: gr.Request) -> tuple[Any, None]:
        """The packaged photograph that is shown, if it is one; an upload has been read and is no more."""
        picture = wiring.session(request).picture
        return picture.name if picture is not None and picture.name in SAMPLES else None, None

    @told
    def place(event: gr.SelectData, request: gr.Request, *values: Any) -> dict[Any, Any]:
        session = wiring.session(request)
        choices = wiring.choices(session, values)
        x, y = (float(v) for v in event.index)
        window = window_at(x, y, choices.size, *page.sr_size(session, choices))
        return {parts.top: window.top, parts.left: window.left, parts.picture_message: ""}

    @told
    def move(request: gr.Request, *values: Any) -> dict[Any, Any]:
        session = wiring.session(request)
        choices = wiring.choices(session, values)
        window = window_value(page.checked_window(session, choices))
        return {parts.picker: wiring.picker(session, choices) | {"window": window}, parts.picture_message: ""}

    shown = [parts.picker, parts.picture_message, parts.top, parts.left, parts.results, *wiring.labelled]
    moved = [parts.picker, parts.picture_message]
    loading = {"api_visibility": "private", "concurrency_limit": 2, "concurrency_id": "files"}
    picked = parts.sample.input(use_sample, [parts.sample, *wiring.inputs], shown, **QUIET)
    uploaded = parts.upload.upload(use_upload, [parts.upload, *wiring.inputs], shown, **loading)
    for event in (picked, uploaded):
        event.then(chosen, None, [parts.sample, parts.upload], **QUIET)
    parts.networks.input(refresh, wiring.inputs, shown, **loading)
    wire_task(wiring, refresh, shown)
    placed = [parts.top, parts.left, parts.picture_message]
    after = parts.picker.select(place, wiring.inputs, placed, **QUIET, trigger_mode="always_last")
    after.then(move, wiring.inputs, moved, **QUIET)
    # One event for the three fields: answers to each field's own would come in any order, the older one last.
    written = [part.input for part in (parts.top, parts.left, parts.size)]
    gr.on(written, move, wiring.inputs, moved, **QUIET, trigger_mode="always_last")
    cleared = parts.hardest.click(lambda: (None, None), None, [parts.top, parts.left], **QUIET)
    cleared.then(move, wiring.inputs, moved, **QUIET)


def _described(session: Session, value: dict[str, Any], choices: Choices, scale: int) -> str:
    if session.picture is None:
        return ""
    size = f"{value['height']}×{value['width']} pixels"
    if scale == 1:
        made = f"shown as the networks are given it, {choices.made_by}" if choices.is_hr else "taken as the input"
        unknown = "" if choices.is_hr else ", the clean picture is unknown"
        none = "No network here was trained for this task: choose one" if choices.is_hr else "Choose a network"
        ask = "" if choices.networks else f" {none}, or add your own."
        return f"{session.picture.name}: {size}; {made}{unknown}.{ask}"
    made = "LR will be made from it" if choices.is_hr else "taken as LR, HR unknown"
    return f"{session.picture.name}: SR image {size}; {made}."


def wire_networks(wiring: Wiring) -> None:
    """The user's own networks."""
    page, parts = wiring.page, wiring.parts

    @wiring.told(parts.network_message)
    def add(request: gr.Request, file: str, *values: Any) -> dict[Any, Any]:
        session = wiring.session(request)
        name = page.add_network(session, Path(file))
        network, choices = session.uploads[name], wiring.choices(session, values)
        offered = list(page.offered(session, choices))
        about = f"{name}: {network.family or 'own architecture'}, ×{network.scale}, {network.parameters:,} parameters."
        if name not in offered:
            about += " It does not fit this task: choose one that is of its scale."
        return {
            parts.networks: gr.CheckboxGroup(
                choices=offered, value=[one for one in (*choices.networks, name) if one in offered]
            ),
            parts.network_message: message_html(about),
            parts.field_network: gr.Dropdown(choices=offered),
        }

    added = parts.network_upload.upload(
        add,
        [parts.network_upload, *wiring.inputs],
        [parts.networks, parts.network_message, parts.field_network],
        concurrency_limit=1,
        concurrency_id="networks",
        api_visibility="private",
    )
    added.then(lambda: None, None, parts.network_upload, **QUIET)
