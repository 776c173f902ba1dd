"""The gradio application: components wired to the callbacks."""

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from srlens.errors import SrlensError
from srlens.imaging.samples import SAMPLES
from srlens.web.callbacks import Answer, Page
from srlens.web.choices import Choices
from srlens.web.layout import BLANK_PICKER, HR, LR, Parts, build_parts
from srlens.web.paint import preview_uri
from srlens.web.picker import picker_value, place_at, place_value
from srlens.web.progress import CancelledError
from srlens.web.results import EMPTY, message_html, results_html, step_html
from srlens.web.session import Session
from srlens.web.share import command_line, from_query, python_lines, to_query

_LOG = logging.getLogger(__name__)
_BLEND = "(v) => { document.documentElement.style.setProperty('--srl-blend', v / 100); }"
_LINK = """(query) => {
  if (!query) return '';
  const theme = new URLSearchParams(location.search).get('__theme');
  const search = '?' + query + (theme ? '&__theme=' + encodeURIComponent(theme) : '');
  history.replaceState(null, '', search);
  return location.origin + location.pathname + search;
}"""


def sentence(error: BaseException) -> str:
    """What the user reads: our own errors in their words, memory shortage, or a reference into the server's log."""
    if isinstance(error, SrlensError):
        return str(error)
    if isinstance(error, CancelledError):
        return "Stopped."
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return "There is not enough memory for this picture and these networks. Take a smaller picture."
    reference = secrets.token_hex(3)
    _LOG.error("unexpected, reference %s", reference, exc_info=error)
    return f"Something failed that should not have. The server's log has the details under {reference}."


class Wiring:
    """The events of one page: each turns components' values into a call of :class:`Page`, and its result back."""

    def __init__(self, page: Page, parts: Parts) -> None:
        self.page = page
        self.parts = parts
        self.inputs = [parts.kind, parts.top, parts.left, parts.size, parts.networks, *parts.settings.values()]

    def session(self, request: Any) -> Session:
        """The tab that a request comes from."""
        return self.page.sessions.of(request.session_hash or "")

    def choices(self, session: Session, values: tuple[Any, ...]) -> Choices:
        """The values of ``inputs`` as choices; empty fields mean what is not given."""
        kind, top, left, size, networks, *rest = values
        settings = {
            name: value for name, value in zip(self.parts.settings, rest, strict=True) if value not in ("", None)
        }
        return Choices(
            picture=session.picture.name if session.picture is not None else "",
            is_hr=kind != LR,
            top=top,
            left=left,
            size=size if size is not None else 0,
            networks=tuple(networks or ()),
            **settings,
        )

    def picker(self, session: Session, choices: Choices) -> dict[str, Any]:
        """The picker's value; a window outside the SR image is not shown."""
        if session.picture is None:
            return BLANK_PICKER
        height, width = self.page.sr_size(session, choices)
        source = preview_uri(self.page.shown(session, choices))
        window = choices.window
        if window is not None and (window.bottom > height or window.right > width):
            window = None
        return picker_value(source, session.picture.name, height, width, window)


def build_app(page: Page) -> Any:
    """The gradio Blocks of the page."""
    import gradio as gr

    with gr.Blocks(title="srlens", analytics_enabled=False, delete_cache=(300, 3600), fill_width=True) as blocks:
        parts = build_parts(page.shelf.names)
        wiring = Wiring(page, parts)
        _wire_picture(gr, wiring)
        _wire_networks(gr, wiring)
        _wire_run(gr, wiring)
        _wire_link(gr, wiring, blocks)
        blocks.unload(_unload(gr, page))
    return blocks


def _wire_picture(gr: Any, wiring: Wiring) -> None:
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
            window = place_at(x, y, choices.size, height, width)
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
        return value | {"place": place_value(window)}, ""

    shown = [parts.picker, parts.picture_message, parts.top, parts.left]
    # Beside the queue: what takes no time is answered even while runs wait.
    quiet = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
    loading = {"api_visibility": "private", "concurrency_limit": 2, "concurrency_id": "files"}
    parts.sample.input(use_sample, [parts.sample, *wiring.inputs], shown, **quiet)
    parts.upload.upload(use_upload, [parts.upload, *wiring.inputs], [*shown, parts.upload, parts.sample], **loading)
    for part in (parts.kind, parts.networks):
        part.input(refresh, wiring.inputs, shown, **loading)
    placed = [parts.top, parts.left, parts.picture_message]
    after = parts.picker.select(place, wiring.inputs, placed, **quiet, trigger_mode="always_last")
    after.then(move, wiring.inputs, [parts.picker, parts.picture_message], **quiet)
    for part in (parts.top, parts.left, parts.size):
        part.input(move, wiring.inputs, [parts.picker, parts.picture_message], **quiet, trigger_mode="always_last")
    cleared = parts.hardest.click(lambda: (None, None), None, [parts.top, parts.left], **quiet)
    cleared.then(move, wiring.inputs, [parts.picker, parts.picture_message], **quiet)


def _described(session: Session, value: dict[str, Any], choices: Choices) -> str:
    if session.picture is None:
        return ""
    made = "LR will be made from it" if choices.is_hr else "taken as LR, HR unknown"
    return f"{session.picture.name}: SR image {value['height']}×{value['width']} pixels; {made}."


def _wire_networks(gr: Any, wiring: Wiring) -> None:
    page, parts = wiring.page, wiring.parts

    def add(request: gr.Request, file: str, chosen: list[str]) -> Any:
        session = wiring.session(request)
        try:
            name = page.add_network(session, Path(file))
        except Exception as error:
            return gr.skip(), message_html(sentence(error), "error"), None
        network = session.uploads[name]
        about = f"{name}: {network.family or 'own architecture'}, ×{network.scale}, {network.parameters:,} parameters."
        choices = list(page.names(session))
        return gr.CheckboxGroup(choices=choices, value=[*chosen, name]), message_html(about), None

    parts.network_upload.upload(
        add,
        [parts.network_upload, parts.networks],
        [parts.networks, parts.network_message, parts.network_upload],
        concurrency_limit=1,
        concurrency_id="networks",
        api_visibility="private",
    )


def _wire_run(gr: Any, wiring: Wiring) -> None:
    page, parts = wiring.page, wiring.parts
    told = [
        parts.status,
        parts.blend,
        parts.results,
        parts.after,
        parts.top,
        parts.left,
        parts.query,
        parts.command,
        parts.python,
    ]

    def run(request: gr.Request, *values: Any) -> Iterator[Any]:
        session = wiring.session(request)
        nothing = [gr.skip()] * (len(told) - 1)
        session.comparison = None
        yield message_html("Starting…"), *nothing
        try:
            for event in page.run(session, wiring.choices(session, values)):
                yield _told(gr, event) if isinstance(event, Answer) else (step_html(event), *nothing)
        except Exception as error:
            kind = "info" if isinstance(error, CancelledError) else "error"
            yield message_html(sentence(error), kind), *nothing

    def files(request: gr.Request) -> Any:
        try:
            return [str(file) for file in page.files(wiring.session(request))] or None
        except Exception as error:
            raise gr.Error(message_html(sentence(error)), print_exception=False) from error

    def move(request: gr.Request, *values: Any) -> Any:
        session = wiring.session(request)
        return wiring.picker(session, wiring.choices(session, values)) if session.comparison else gr.skip()

    def stop(request: gr.Request) -> str:
        session = wiring.session(request)
        session.cancel.set()
        return message_html("Stopped.")

    private = {"api_visibility": "private"}
    running = parts.run.click(
        run,
        wiring.inputs,
        told,
        concurrency_limit=1,
        concurrency_id="compute",
        show_progress="minimal",
        show_progress_on=parts.status,
        trigger_mode="once",
        **private,
    )
    parts.stop.click(stop, None, parts.status, cancels=[running], queue=False, show_progress="hidden", **private)
    running.then(None, parts.query, parts.link, js=_LINK)
    running.then(move, wiring.inputs, parts.picker, show_progress="hidden", queue=False, **private)
    running.then(
        files, None, parts.files, concurrency_limit=1, concurrency_id="figures", show_progress="minimal", **private
    )
    parts.blend.input(None, parts.blend, None, js=_BLEND)


def _told(gr: Any, answer: Answer) -> tuple[Any, ...]:
    choices, comparison = answer.choices, answer.comparison
    seconds = sum(row.seconds for row in comparison.rows)
    return (
        message_html(f"Done in {seconds:.1f} s. Window: {comparison.window_choice}."),
        gr.Slider(visible=True),
        results_html(comparison, choices.style, answer.notes),
        gr.Column(visible=True),
        choices.top,
        choices.left,
        to_query(choices),
        command_line(choices),
        python_lines(choices, comparison.rows[0].network.scale),
    )


def _wire_link(gr: Any, wiring: Wiring, blocks: Any) -> None:
    page, parts = wiring.page, wiring.parts

    def restore(request: gr.Request) -> tuple[Any, ...]:
        session = wiring.session(request)
        choices, complaints = from_query(dict(request.query_params), page.names(session))
        message = " ".join(complaints)
        value = BLANK_PICKER
        try:
            if choices.picture in SAMPLES:
                page.use_sample(session, choices.picture)
                value = wiring.picker(session, choices)
            else:
                message = f"This link is about {choices.picture}: drop that picture here. {message}"
        except Exception as error:
            message = f"{sentence(error)} {message}"
        told = message_html(message.strip(), "error") if message else ""
        settings = [getattr(choices, name) for name in parts.settings]
        return (
            value,
            told,
            choices.picture if choices.picture in SAMPLES else None,
            HR if choices.is_hr else LR,
            choices.top,
            choices.left,
            choices.size,
            gr.CheckboxGroup(choices=list(page.names(session)), value=list(choices.networks)),
            *("" if value is None and isinstance(part, gr.Dropdown) else value
              for value, part in zip(settings, parts.settings.values(), strict=True)),
            EMPTY,
        )  # fmt: skip

    blocks.load(
        restore,
        None,
        [
            parts.picker, parts.picture_message, parts.sample, *wiring.inputs, parts.results,
        ],
        show_progress="hidden",
        api_visibility="private",
        queue=False,
    )  # fmt: skip


def _unload(gr: Any, page: Page) -> Callable[[Any], None]:
    def unload(request: gr.Request) -> None:
        page.sessions.drop(request.session_hash or "")

    return unload
