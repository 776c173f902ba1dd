"""The link in the address bar: settings restored when the page opens."""

from typing import Any

import gradio as gr

from srlens.imaging.samples import SAMPLES
from srlens.web.layout import BLANK_PICKER
from srlens.web.results import EMPTY, message_html
from srlens.web.share import from_query
from srlens.web.wire_task import task_fields
from srlens.web.wiring import QUIET, Wiring, sentence


def wire_link(wiring: Wiring, blocks: Any) -> None:
    """What happens when the page opens."""
    page, parts = wiring.page, wiring.parts

    def restore(request: gr.Request) -> dict[Any, Any]:
        session = wiring.session(request)
        choices, complaints = from_query(dict(request.query_params), page.names(session))
        fitting = page.fitting(session, choices) if choices.networks else choices
        if "networks" in request.query_params and (left_out := set(choices.networks) - set(fitting.networks)):
            complaints.append(f"Not of this task's scale: {', '.join(sorted(left_out))}.")
        choices, message = fitting, " ".join(complaints)
        value, scale = BLANK_PICKER, None
        packaged = choices.picture in SAMPLES
        if not packaged:
            message = f"This link is about {choices.picture}: drop that picture here. {message}"
        try:
            if packaged:
                page.use_sample(session, choices.picture)
            scale = page.scale(session, choices)
            value = wiring.picker(session, choices) if packaged else value
        except Exception as error:
            message = f"{sentence(error)} {message}"
        chosen = {"style": choices.style, "degradation": choices.degradation, **choices.settings}
        chosen["sampler_seed"] = choices.sampler_seed or None
        return {
            parts.picker: value,
            parts.picture_message: message_html(message.strip(), "error"),
            parts.sample: choices.picture if packaged else None,
            parts.top: choices.top,
            parts.left: choices.left,
            parts.size: choices.size,
            **{part: wiring.setting(name, chosen, scale) for name, part in parts.settings.items()},
            **task_fields(wiring, session, choices),
            parts.results: EMPTY,
        }

    also = [parts.level, parts.field_network, parts.results]
    outputs = [parts.picker, parts.picture_message, parts.sample, *wiring.inputs, *also]
    blocks.load(restore, None, outputs, **QUIET)
