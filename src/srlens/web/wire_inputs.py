"""Events of the left side: the picture, the window, the networks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from srlens.imaging.samples import SAMPLES
from srlens.web.choices import Choices
from srlens.web.picker import window_at, window_value
from srlens.web.results import message_html
from srlens.web.session import Session
from srlens.web.wiring import QUIET, Wiring, sentence


def wire_picture(gr: Any, wiring: Wiring) -> None:
    """Picture and window."""
    page, parts = wiring.page, wiring.parts

    def show(session: Session, choose: Callable[[], Any], values: tuple[Any, ...]) -> tuple[Any, Any]:
        """Picker and message after a change of the picture or of what it is."""
        try:
            choose()
            choices = replace(wiring.choices(session, values), top=None, left=None)
            value = wiring.picker(session, choices)
        except Exception as error:
            return gr.skip(), message_html(sentence(error), "error")
        return value, message_html(_described(session, value, choices))

    def use_sample(request: gr.Request, name: str, *values: Any) -> Any:
        session = wiring.session(request)
        value, message = show(session, lambda: page.use_sample(session, name), values)
        return value, message, None, None

    def use_upload(request: gr.Request, file: str, *values: Any) -> Any:
        session = wiring.session(request)
        value, message = show(session, lambda: page.use_upload(session, Path(file)), values)
        ours = session.picture is not None and session.picture.name not in SAMPLES
        return value, message, None, None, None, None if ours else gr.skip()

    def refresh(request: gr.Request, *values: Any) -> Any:
        session = wiring.session(request)
        value, message = show(session, lambda: None, values)
        return value, message, None, None

    def place(event: gr.SelectData, request: gr.Request, *values: Any) -> Any:
        session = wiring.session(request)
        try:
            choices = wiring.choices(session, values)
            x, y = (float(v) for v in event.index)
            height, width = page.sr_size(session, choices)
            window = window_at(x, y, choices.size, height, width)
        except Exception as error:
            return gr.skip(), gr.skip(), message_html(sentence(error), "error")
        return window.top, window.left, ""

    def move(request: gr.Request, *values: Any) -> Any:
        session = wiring.session(request)
        try:
            choices = wiring.choices(session, values)
            window = page.checked_window(session, choices)
            value = wiring.picker(session, choices)
        except Exception as error:
            return gr.skip(), message_html(sentence(error), "error")
        return value | {"window": window_value(window)}, ""

    shown = [parts.picker, parts.picture_message, parts.top, parts.left]
    loading = {"api_visibility": "private", "concurrency_limit": 2, "concurrency_id": "files"}
    parts.sample.input(use_sample, [parts.sample, *wiring.inputs], shown, **QUIET)
    parts.upload.upload(use_upload, [parts.upload, *wiring.inputs], [*shown, parts.upload, parts.sample], **loading)
    for part in (parts.kind, parts.networks):
        part.input(refresh, wiring.inputs, shown, **loading)
    placed = [parts.top, parts.left, parts.picture_message]
    after = parts.picker.select(place, wiring.inputs, placed, **QUIET, trigger_mode="always_last")
    after.then(move, wiring.inputs, [parts.picker, parts.picture_message], **QUIET)
    # One event for the three fields: answers to each field's own would come in any order, the older one last.
    written = [part.input for part in (parts.top, parts.left, parts.size)]
    gr.on(written, move, wiring.inputs, [parts.picker, parts.picture_message], **QUIET, trigger_mode="always_last")
    cleared = parts.hardest.click(lambda: (None, None), None, [parts.top, parts.left], **QUIET)
    cleared.then(move, wiring.inputs, [parts.picker, parts.picture_message], **QUIET)


def _described(session: Session, value: dict[str, Any], choices: Choices) -> str:
    if session.picture is None:
        return ""
    made = "LR will be made from it" if choices.is_hr else "taken as LR, HR unknown"
    return f"{session.picture.name}: SR image {value['height']}×{value['width']} pixels; {made}."


def wire_networks(gr: Any, wiring: Wiring) -> None:
    """The user's own networks."""
    page, parts = wiring.page, wiring.parts

    def add(request: gr.Request, file: str, chosen: list[str]) -> Any:
        session = wiring.session(request)
        try:
            name = page.add_network(session, Path(file))
        except Exception as error:
            return gr.skip(), message_html(sentence(error), "error"), None, gr.skip()
        network = session.uploads[name]
        about = f"{name}: {network.family or 'own architecture'}, ×{network.scale}, {network.parameters:,} parameters."
        choices = list(page.names(session))
        return (
            gr.CheckboxGroup(choices=choices, value=[*chosen, name]),
            message_html(about),
            None,
            gr.Dropdown(choices=choices),
        )

    parts.network_upload.upload(
        add,
        [parts.network_upload, parts.networks],
        [parts.networks, parts.network_message, parts.network_upload, parts.field_network],
        concurrency_limit=1,
        concurrency_id="networks",
        api_visibility="private",
    )
