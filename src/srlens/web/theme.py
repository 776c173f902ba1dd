"""The look: system fonts, nothing from elsewhere, one accent colour, light and dark."""

import tomllib
from typing import Any

import gradio as gr
from gradio.themes.utils.fonts import Font

from srlens.web.asset import asset

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Menlo", "DejaVu Sans Mono", "monospace")


def page_theme() -> Any:
    """The gradio theme of the page."""
    theme = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="md",
        text_size="md",
        font=[Font(name) for name in _SANS],
        font_mono=[Font(name) for name in _MONO],
    )
    return theme.set(**tomllib.loads(asset("theme.toml")))


#: For the head of the page: gradio's own ``css`` would be scoped to the inside of its container.
STYLES = f"<style>\n{asset('page.css')}</style>"
