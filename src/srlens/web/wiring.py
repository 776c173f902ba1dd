"""Between gradio's values and the callbacks: which tab asks, what is chosen, what an error says."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, wraps
from typing import Any

import gradio as gr

from srlens.errors import SrlensError
from srlens.imaging.terms import worded
from srlens.web.callbacks import Page
from srlens.web.choices import Choices
from srlens.web.layout import AS_IT_IS, BLANK_PICKER, Parts
from srlens.web.paint import preview_uri
from srlens.web.picker import picker_value
from srlens.web.progress import CancelledError, Step
from srlens.web.results import message_html, step_html
from srlens.web.session import Session

_LOG = logging.getLogger(__name__)
_Event = Callable[..., dict[Any, Any]]

#: Events beside the queue: what takes no time is answered even while runs wait.
QUIET = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
#: Events that compute: one at a time over all tabs.
COMPUTING = {"concurrency_limit": 1, "concurrency_id": "compute", "trigger_mode": "once"}
COMPUTING |= {"show_progress": "minimal", "api_visibility": "private"}


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
        self.inputs = [parts.task, parts.top, parts.left, parts.size, parts.networks, *parts.settings.values()]

    def session(self, request: Any) -> Session:
        """The tab that a request comes from."""
        return self.page.sessions.of(request.session_hash or "")

    def told(self, target: Any) -> Callable[[_Event], _Event]:
        """Decorate an event: what it raises becomes a sentence in ``target``, and nothing else changes."""

        def decorate(act: _Event) -> _Event:
            @wraps(act)  # gradio reads in the signature what else to give
            def event(*given: Any) -> dict[Any, Any]:
                try:
                    return act(*given)
                except Exception as error:
                    return {target: message_html(sentence(error), "error")}

            return event

        return decorate

    def steps(
        self, status: Any, events: Callable[[], Iterator[Any]], answer: Callable[[Any], dict[Any, Any]]
    ) -> Iterator[dict[Any, Any]]:
        """What an event that computes yields: its messages and, at last, its other outputs.

        Args:
            status: where messages go.
            events: starts the computation; its :class:`Step` become messages.
            answer: the outputs of anything else that it yields.
        """
        yield {status: message_html("Starting…")}
        try:
            for event in events():
                yield {status: step_html(event)} if isinstance(event, Step) else answer(event)
        except Exception as error:
            kind = "info" if isinstance(error, CancelledError) else "error"
            yield {status: message_html(sentence(error), kind)}

    def stop(self, button: Any, status: Any, runs: Sequence[Any]) -> None:
        """Let a button stop these events of its tab."""

        def stop(request: gr.Request) -> str:
            self.session(request).cancel.set()
            return message_html("Stopped.")

        button.click(stop, None, status, cancels=runs, **QUIET)

    def choices(self, session: Session, values: tuple[Any, ...]) -> Choices:
        """The values of ``inputs`` as choices; empty fields mean what is not given."""
        task, top, left, size, networks, *rest = values
        chosen = zip(self.parts.settings, rest, strict=True)
        settings = {name: value for name, value in chosen if value not in ("", None)}
        own = {name: settings.pop(name) for name in ("style", "degradation", "sampler_seed") if name in settings}
        if task == AS_IT_IS:
            own.pop("degradation", None)
        return Choices(
            picture=session.picture.name if session.picture is not None else "",
            is_hr=task != AS_IT_IS,
            top=top,
            left=left,
            size=size if size is not None else 0,
            networks=tuple(networks or ()),
            settings=settings,
            **own,
        )

    def setting(self, name: str, chosen: Mapping[str, Any], scale: int | None) -> Any:
        """What the field of a setting holds; empty where nothing is chosen. Its label as of :meth:`labels`."""
        part = self.parts.settings[name]
        label = self.labels(scale).get(part, {}) if scale is not None else {}
        return type(part)(value=chosen.get(name, "" if isinstance(part, gr.Dropdown) else None), **label)

    @cached_property
    def labelled(self) -> list[Any]:
        """The settings whose labels speak of LR."""
        return [part for part in self.parts.settings.values() if part.label and worded(part.label, 1) != part.label]

    def labels(self, scale: int) -> dict[Any, dict[str, str]]:
        """The labels of those settings in the words of networks of that scale, as keywords of the components."""
        return {part: {"label": worded(part.label, scale)} for part in self.labelled}

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
