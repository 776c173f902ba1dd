"""Events of the second tab: the diffusion index over the whole image."""

from collections.abc import Iterator
from typing import Any

from srlens.web.callbacks import FieldAnswer
from srlens.web.field_view import field_html, field_value
from srlens.web.progress import CancelledError
from srlens.web.results import message_html, step_html
from srlens.web.wiring import QUIET, Wiring, sentence


def wire_field(gr: Any, wiring: Wiring) -> None:
    """The whole image."""
    page, parts = wiring.page, wiring.parts
    told = [parts.field_status, parts.field_view, parts.field_legend, parts.field_files]

    def run(request: gr.Request, network: str, stride: int | None, steps: int | None, *values: Any) -> Iterator[Any]:
        session = wiring.session(request)
        nothing = [gr.skip()] * (len(told) - 1)
        yield message_html("Starting…"), *nothing
        try:
            choices = wiring.choices(session, values)
            for event in page.run_field(session, choices, network, stride=stride or 0, steps=steps or 0):
                if isinstance(event, FieldAnswer):
                    files = [str(file) for file in event.files]
                    message = message_html("Done. Click a place to see its map.")
                    yield message, field_value(event), field_html(event.field), gr.File(files, visible=True)
                else:
                    yield step_html(event), *nothing
        except Exception as error:
            kind = "info" if isinstance(error, CancelledError) else "error"
            yield message_html(sentence(error), kind), *nothing

    def stop(request: gr.Request) -> str:
        wiring.session(request).cancel.set()
        return message_html("Stopped.")

    running = parts.field_run.click(
        run,
        [parts.field_network, parts.field_stride, parts.field_steps, *wiring.inputs],
        told,
        concurrency_limit=1,
        concurrency_id="compute",
        show_progress="minimal",
        show_progress_on=parts.field_status,
        trigger_mode="once",
        api_visibility="private",
    )
    parts.field_stop.click(stop, None, parts.field_status, cancels=[running], **QUIET)
