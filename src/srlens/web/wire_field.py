"""Events of the second tab: the diffusion index over the whole image."""

from collections.abc import Iterator
from typing import Any

from srlens.web.callbacks import FieldAnswer
from srlens.web.field_view import field_html, field_value
from srlens.web.results import message_html
from srlens.web.wiring import COMPUTING, Wiring


def wire_field(gr: Any, wiring: Wiring) -> None:
    """The whole image."""
    page, parts = wiring.page, wiring.parts
    outputs = [parts.field_status, parts.field_view, parts.field_legend, parts.field_files]

    def answer(event: FieldAnswer) -> tuple[Any, ...]:
        files = gr.File([str(file) for file in event.files], visible=True)
        return message_html("Done. Click a place to see its map."), field_value(event), field_html(event.field), files

    def run(request: gr.Request, network: str, stride: int | None, steps: int | None, *values: Any) -> Iterator[Any]:
        session = wiring.session(request)

        unchanged = [gr.skip()] * (len(outputs) - 1)
        yield from wiring.steps(
            lambda: page.run_field(
                session, wiring.choices(session, values), network, stride=stride or 0, steps=steps or 0
            ),
            answer,
            unchanged,
        )

    inputs = [parts.field_network, parts.field_stride, parts.field_steps, *wiring.inputs]
    running = parts.field_run.click(run, inputs, outputs, show_progress_on=parts.field_status, **COMPUTING)
    wiring.stop(parts.field_stop, parts.field_status, [running])
