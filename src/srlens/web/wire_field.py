"""Events of the second tab: the diffusion index over the whole image."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from srlens.web.answers import FieldAnswer
from srlens.web.field_view import field_legend, field_value
from srlens.web.results import message_html
from srlens.web.wiring import COMPUTING, Wiring


def wire_field(wiring: Wiring) -> None:
    """The whole image."""
    page, parts = wiring.page, wiring.parts
    status = parts.field_status

    def answer(event: FieldAnswer) -> dict[Any, Any]:
        return {
            status: message_html("Done. Click a place to see its map."),
            parts.field_view: field_value(event),
            parts.field_legend: field_legend(event),
            parts.field_files: gr.File([str(file) for file in event.files], visible=True),
        }

    def run(
        request: gr.Request, network: str, stride: int | None, steps: int | None, *values: Any
    ) -> Iterator[dict[Any, Any]]:
        session = wiring.session(request)
        grid = {"stride": stride or 0, "steps": steps or 0}
        yield from wiring.steps(
            status, lambda: page.run_field(session, wiring.choices(session, values), network, **grid), answer
        )

    inputs = [parts.field_network, parts.field_stride, parts.field_steps, *wiring.inputs]
    outputs = [status, parts.field_view, parts.field_legend, parts.field_files]
    running = parts.field_run.click(run, inputs, outputs, show_progress_on=status, **COMPUTING)
    wiring.stop(parts.field_stop, status, [running])
