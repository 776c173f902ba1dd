"""The link in the address bar: settings restored when the page opens."""

from typing import Any

import gradio as gr

from srlens.imaging.samples import SAMPLES
from srlens.web.layout import BLANK_PICKER, HR, LR
from srlens.web.results import EMPTY, message_html
from srlens.web.share import from_query
from srlens.web.wiring import QUIET, Wiring, sentence


def wire_link(wiring: Wiring, blocks: Any) -> None:
    """What happens when the page opens."""
    page, parts = wiring.page, wiring.parts

    def restore(request: gr.Request) -> dict[Any, Any]:
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
        chosen = {"style": choices.style, "degradation": choices.degradation, **choices.settings}
        return {
            parts.picker: value,
            parts.picture_message: message_html(message.strip(), "error"),
            parts.sample: choices.picture if choices.picture in SAMPLES else None,
            parts.kind: HR if choices.is_hr else LR,
            parts.top: choices.top,
            parts.left: choices.left,
            parts.size: choices.size,
            parts.networks: gr.CheckboxGroup(choices=list(page.names(session)), value=list(choices.networks)),
            **{part: wiring.setting(name, chosen) for name, part in parts.settings.items()},
            parts.results: EMPTY,
        }

    outputs = [parts.picker, parts.picture_message, parts.sample, *wiring.inputs, parts.results]
    blocks.load(restore, None, outputs, **QUIET)
