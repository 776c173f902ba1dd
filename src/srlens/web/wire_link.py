"""The link in the address bar: settings restored when the page opens."""

from typing import Any

from srlens.imaging.samples import SAMPLES
from srlens.web.layout import BLANK_PICKER, HR, LR
from srlens.web.results import EMPTY, message_html
from srlens.web.share import from_query
from srlens.web.wiring import QUIET, Wiring, sentence


def wire_link(gr: Any, wiring: Wiring, blocks: Any) -> None:
    """What happens when the page opens."""
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
        chosen = {"style": choices.style, "degradation": choices.degradation, **choices.settings}
        settings = [chosen.get(name) for name in parts.settings]
        return (
            value,
            message_html(message.strip(), "error"),
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
        **QUIET,
    )  # fmt: skip
