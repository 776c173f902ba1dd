"""The components of the page, by name; what they do is wired in ``app``."""

from html import escape
from typing import Any

import gradio as gr

from srlens.attribution.attribute import FIELD_STEPS
from srlens.attribution.settings import SETTINGS, Setting
from srlens.imaging.degrade import tasks
from srlens.imaging.samples import SAMPLES
from srlens.web.asset import asset
from srlens.web.choices import DEFAULTS, STYLES, accepted
from srlens.web.limits import MIB, Limits
from srlens.web.network_list import SUFFIXES
from srlens.web.picker import picker_value
from srlens.web.results import EMPTY, message_html

_BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
#: The picker before there is a picture.
BLANK_PICKER = picker_value(_BLANK, "No picture yet", 1, 1, None)

_LEFT_OPEN, _IN_A_ROW = ("the usual one", ""), 3
_FIELD_HINT = (
    "The diffusion index of a grid of windows, of the size chosen beside, over the whole picture. "
    "Then click a place to see its map."
)
#: The task of a picture that is given to the networks as it is.
AS_IT_IS = "none: the picture as it is"

_HEAD = (
    '<header class="srl-head"><h1>srlens</h1><p>Which input pixels did a super-resolution or restoration network use? '
    "Local attribution maps, with error bars. Computed on {device}.</p></header>"
)


class Parts:
    """Every component that an event reads or writes; to be made within ``gr.Blocks``, where it lays the page out."""

    def __init__(self, networks: tuple[str, ...], limits: Limits, device: str) -> None:
        gr.HTML(_HEAD.format(device=escape(device)))
        with gr.Row(equal_height=False, elem_id="main"):
            with gr.Column(scale=4, min_width=320):
                self._lay_inputs(networks, limits)
            with gr.Column(scale=8, min_width=320), gr.Tabs(elem_id="tabs") as self.tabs:
                with gr.Tab("One window", id="window"):
                    self._lay_window_tab()
                with gr.Tab("Whole image", id="field"):
                    self._lay_field_tab(networks)

    def _lay_inputs(self, networks: tuple[str, ...], limits: Limits) -> None:
        with gr.Group():
            self.sample = gr.Radio(list(SAMPLES), value=DEFAULTS.picture, label="Packaged photograph", elem_id="sample")
            with gr.Accordion("Your own picture", open=False):
                most = f"up to {limits.picture_bytes // MIB} MiB, input up to {limits.lr_pixels:,} pixels"
                label = f"Drop a PNG, JPEG, WebP, BMP or TIFF here ({most})"
                self.upload = gr.File(label=label, file_types=["image"], height=120, elem_id="upload")
            self.task = gr.Dropdown(
                [*tasks(), AS_IT_IS], value=next(iter(tasks())), label="Task: what the networks undo", elem_id="task"
            )
            self.level = gr.Number(None, label="Level", min_width=120, elem_id="level", visible=False)
            self.degradation = gr.Dropdown([], value="", elem_id="degradation", allow_custom_value=True)
        self.picture_message = gr.HTML("", elem_id="picture-message")
        self.picker = _picker("picker")
        with gr.Group():
            with gr.Row():
                self.top, self.left, self.size = (
                    gr.Number(value, precision=0, min_width=80, label=f"{name.title()}, px", elem_id=name)
                    for name, value in (("top", None), ("left", None), ("size", DEFAULTS.size))
                )
            self.hardest = gr.Button("No window: take the hardest one", size="sm", elem_id="hardest")
        self.networks = gr.CheckboxGroup(
            list(networks), value=list(DEFAULTS.networks), label="Networks", elem_id="networks"
        )
        with gr.Accordion("Your own network", open=False):
            self.network_upload = gr.File(
                label=f"Drop a checkpoint here, up to {limits.checkpoint_bytes // MIB} MiB; nothing in it is executed",
                file_types=list(SUFFIXES),
                height=120,
                elem_id="network-upload",
            )
        self.network_message = gr.HTML("", elem_id="network-message")
        with gr.Accordion("Settings", open=False, elem_id="settings"):
            self.settings = {"degradation": self.degradation, **_settings()}

    def _lay_window_tab(self) -> None:
        self.run, self.stop = _run_and_stop("Run")
        self.status = gr.HTML("", elem_id="status")
        self.blend = gr.Slider(
            0, 100, value=75, step=1, label="Attribution map over the picture, %", elem_id="blend", visible=False
        )
        self.results = gr.HTML(EMPTY, elem_id="results")
        with gr.Column(visible=False, elem_id="after") as self.after:
            self.files = _files("Figures, maps, tables, result.json; all of them as an archive", "files")
            self.query = gr.Textbox(visible=False)
            copied: dict[str, Any] = {"interactive": False, "buttons": ["copy"], "elem_classes": "srl-code"}
            self.link = gr.Textbox(label="Link to these settings", elem_id="link", **copied)
            self.command = gr.Textbox(label="Command line", lines=1, max_lines=4, elem_id="command", **copied)
            with gr.Accordion("Python", open=False):
                self.python = gr.Textbox(label="Python lines", lines=8, max_lines=24, elem_id="python", **copied)

    def _lay_field_tab(self, networks: tuple[str, ...]) -> None:
        with gr.Row():
            self.field_network = gr.Dropdown(
                list(networks), value=networks[0], label="Network", min_width=140, elem_id="field-network"
            )
            self.field_stride, self.field_steps = (
                gr.Number(value, precision=0, label=label, min_width=90, elem_id=name)
                for value, label, name in ((32, "Grid, px", "field-stride"), (FIELD_STEPS, "Steps", "field-steps"))
            )
        self.field_run, self.field_stop = _run_and_stop("Compute", "field-")
        self.field_status = gr.HTML(message_html(_FIELD_HINT), elem_id="field-status")
        self.field_view = _picker("field-view")
        self.field_legend = gr.HTML("", elem_id="field-legend")
        self.field_files = _files("Figure, table", "field-files", visible=False)


def _picker(name: str) -> Any:
    """A picture in which places are clicked."""
    return gr.HTML(
        value=BLANK_PICKER,
        html_template=asset("picker.html"),
        css_template=asset("picker.css"),
        js_on_load=asset("picker.js"),
        elem_id=name,
    )


def _run_and_stop(label: str, prefix: str = "") -> tuple[Any, Any]:
    with gr.Row():
        run = gr.Button(label, variant="primary", elem_id=f"{prefix}run", min_width=120, scale=2)
        stop = gr.Button("Stop", variant="stop", elem_id=f"{prefix}stop", min_width=80, scale=1)
    return run, stop


def _files(label: str, name: str, *, visible: bool = True) -> Any:
    return gr.File(label=label, file_count="multiple", interactive=False, visible=visible, elem_id=name)


def _settings() -> dict[str, Any]:
    """One component a setting: the look, the noise, then those of the method."""
    parts: dict[str, Any] = {}
    with gr.Row():
        parts["style"] = gr.Dropdown(STYLES, value=DEFAULTS.style, label="Look of maps and figures", min_width=120)
        label = "Seed of the sampler's noise (0)"
        parts["sampler_seed"] = gr.Number(None, precision=0, label=label, min_width=120, elem_id="sampler-seed")
    for start in range(0, len(SETTINGS), _IN_A_ROW):
        with gr.Row():
            parts |= {one.name: _setting(one) for one in SETTINGS[start : start + _IN_A_ROW]}
    return parts


def _setting(setting: Setting) -> Any:
    """A field of one setting of the method; left empty, it is the method's own."""
    label = setting.label[:1].upper() + setting.label[1:]
    if words := accepted(setting):
        return gr.Dropdown([_LEFT_OPEN, *words], value="", label=label, min_width=120)
    return gr.Number(None, precision=0 if setting.kind is int else None, label=label, min_width=120)
