"""The gradio application: components wired to the callbacks."""

from typing import Any

import gradio as gr

from srlens.networks.device import device_in_words
from srlens.web.callbacks import Page
from srlens.web.choices import DEFAULTS
from srlens.web.layout import Parts
from srlens.web.session import Session
from srlens.web.wire_field import wire_field
from srlens.web.wire_inputs import wire_networks, wire_picture
from srlens.web.wire_link import wire_link
from srlens.web.wire_run import wire_run
from srlens.web.wiring import Wiring


def build_app(page: Page) -> Any:
    """The gradio Blocks of the page."""

    def unload(request: gr.Request) -> None:
        page.sessions.drop(request.session_hash or "")

    with gr.Blocks(title="srlens", analytics_enabled=False, delete_cache=(300, 3600), fill_width=True) as blocks:
        wiring = Wiring(page, Parts(page.offered(Session(), DEFAULTS), page.limits, device_in_words(page.device)))
        wire_picture(wiring)
        wire_networks(wiring)
        wire_run(wiring)
        wire_field(wiring)
        wire_link(wiring, blocks)
        blocks.unload(unload)
    return blocks
