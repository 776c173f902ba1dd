"""The components of the page, by name; what they do is wired in ``app``."""

from dataclasses import dataclass
from typing import Any

from srlens.attribution.settings import SETTINGS, Setting
from srlens.imaging.degrade import without_level
from srlens.imaging.samples import SAMPLES
from srlens.web.choices import DEFAULTS, STYLES, accepted
from srlens.web.picker import SCRIPT, STYLE, TEMPLATE, picker_value
from srlens.web.results import EMPTY, message_html
from srlens.web.shelf import SUFFIXES

_BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
#: The picker before there is a picture.
BLANK_PICKER = picker_value(_BLANK, "No picture yet", 1, 1, None)

_LEFT_OPEN, _IN_A_ROW = ("the usual one", ""), 3
_FIELD_HINT = (
    "The diffusion index of a grid of windows, of the size chosen beside, over the whole picture. "
    "Then click a place to see its map."
)
HR, LR = "HR: the LR is made from it", "LR: as it is"

_HEAD = (
    '<header class="srl-head"><h1>srlens</h1><p>Which input pixels did a super-resolution network use? '
    "Local attribution maps, with error bars.</p></header>"
)


@dataclass(frozen=True, eq=False)
class Parts:
    """Every component that an event reads or writes."""

    sample: Any
    upload: Any
    kind: Any
    picture_message: Any
    picker: Any
    top: Any
    left: Any
    size: Any
    hardest: Any
    networks: Any
    network_upload: Any
    network_message: Any
    settings: dict[str, Any]
    run: Any
    stop: Any
    status: Any
    results: Any
    after: Any
    blend: Any
    files: Any
    query: Any
    link: Any
    command: Any
    python: Any
    tabs: Any
    field_network: Any
    field_stride: Any
    field_steps: Any
    field_run: Any
    field_stop: Any
    field_status: Any
    field_view: Any
    field_legend: Any
    field_files: Any


def build_parts(networks: tuple[str, ...]) -> Parts:
    """Lay the page out; to be called within ``gr.Blocks``."""
    import gradio as gr

    gr.HTML(_HEAD)
    with gr.Row(equal_height=False, elem_id="main"):
        with gr.Column(scale=4, min_width=320):
            given = _inputs(gr, networks)
        with gr.Column(scale=8, min_width=320), gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("One window", id="window"):
                shown = _window_tab(gr)
            with gr.Tab("Whole image", id="field"):
                field = _field_tab(gr, networks)
    return Parts(tabs=tabs, **given, **shown, **field)


def _inputs(gr: Any, networks: tuple[str, ...]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Group():
        parts["sample"] = gr.Radio(list(SAMPLES), value=DEFAULTS.picture, label="Packaged photograph", elem_id="sample")
        with gr.Accordion("Your own picture", open=False):
            parts["upload"] = gr.File(
                label="Drop a PNG, JPEG, WebP, BMP or TIFF here", file_types=["image"], height=120, elem_id="upload"
            )
        parts["kind"] = gr.Radio([HR, LR], value=HR, label="The picture is", elem_id="kind")
    parts["picture_message"] = gr.HTML("", elem_id="picture-message")
    parts["picker"] = _picker(gr, "picker", BLANK_PICKER)
    with gr.Group():
        with gr.Row():
            for name in ("top", "left", "size"):
                parts[name] = gr.Number(
                    getattr(DEFAULTS, name),
                    precision=0,
                    minimum=0,
                    min_width=80,
                    label=f"{name.title()}, px",
                    elem_id=name,
                )
        parts["hardest"] = gr.Button("No window: take the hardest one", size="sm", elem_id="hardest")
    parts["networks"] = gr.CheckboxGroup(
        list(networks), value=list(DEFAULTS.networks), label="Networks", elem_id="networks"
    )
    with gr.Accordion("Your own network", open=False):
        parts["network_upload"] = gr.File(
            label="Drop a checkpoint here; nothing in it is executed",
            file_types=list(SUFFIXES),
            height=120,
            elem_id="network-upload",
        )
    parts["network_message"] = gr.HTML("", elem_id="network-message")
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        parts["settings"] = _settings(gr)
    return parts


def _picker(gr: Any, name: str, value: dict[str, Any] | None) -> Any:
    """A picture in which places are clicked."""
    return gr.HTML(value=value, html_template=TEMPLATE, css_template=STYLE, js_on_load=SCRIPT, elem_id=name)


def _settings(gr: Any) -> dict[str, Any]:
    """One component a setting: those of :class:`Choices`, then those of the method."""
    made_by = [("MATLAB's bicubic, Pillow's under the paper preset", ""), *((name, name) for name in without_level())]
    parts: dict[str, Any] = {}
    with gr.Row():
        parts["style"] = gr.Dropdown(STYLES, value=DEFAULTS.style, label="Look of maps and figures", min_width=120)
        parts["degradation"] = gr.Dropdown(made_by, value="", label="LR made from HR by", min_width=120)
    for start in range(0, len(SETTINGS), _IN_A_ROW):
        with gr.Row():
            parts |= {one.name: _setting(gr, one) for one in SETTINGS[start : start + _IN_A_ROW]}
    return parts


def _setting(gr: Any, setting: Setting) -> Any:
    """A field of one setting of the method; left empty, it is the method's own."""
    label = setting.label[:1].upper() + setting.label[1:]
    if words := accepted(setting):
        return gr.Dropdown([_LEFT_OPEN, *words], value="", label=label, min_width=120)
    return gr.Number(None, precision=0 if setting.kind is int else None, label=label, min_width=120)


def _window_tab(gr: Any) -> dict[str, Any]:
    with gr.Row():
        run = gr.Button("Run", variant="primary", elem_id="run", min_width=120, scale=2)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=80, scale=1)
    status = gr.HTML("", elem_id="status")
    blend = gr.Slider(
        0, 100, value=75, step=1, label="Attribution map over the picture, %", elem_id="blend", visible=False
    )
    results = gr.HTML(EMPTY, elem_id="results")
    with gr.Column(visible=False, elem_id="after") as after:
        files = gr.File(label="Figure, maps, result.json", file_count="multiple", interactive=False, elem_id="files")
        query = gr.Textbox(visible=False)
        copied: dict[str, Any] = {"interactive": False, "buttons": ["copy"], "elem_classes": "srl-code"}
        link = gr.Textbox(label="Link to these settings", elem_id="link", **copied)
        command = gr.Textbox(label="Command line", lines=1, max_lines=4, elem_id="command", **copied)
        with gr.Accordion("Python", open=False):
            python = gr.Textbox(label="Python lines", lines=8, max_lines=24, elem_id="python", **copied)
    return {
        "run": run, "stop": stop, "status": status, "results": results, "after": after, "blend": blend,
        "files": files, "query": query, "link": link, "command": command, "python": python,
    }  # fmt: skip


def _field_tab(gr: Any, networks: tuple[str, ...]) -> dict[str, Any]:
    with gr.Row():
        network = gr.Dropdown(
            list(networks), value=networks[0], label="Network", min_width=140, elem_id="field-network"
        )
        stride = gr.Number(32, precision=0, minimum=1, label="Grid, px", min_width=90, elem_id="field-stride")
        steps = gr.Number(12, precision=0, minimum=1, label="Steps", min_width=90, elem_id="field-steps")
    with gr.Row():
        run = gr.Button("Compute", variant="primary", elem_id="field-run", min_width=120, scale=2)
        stop = gr.Button("Stop", variant="stop", elem_id="field-stop", min_width=80, scale=1)
    status = gr.HTML(message_html(_FIELD_HINT), elem_id="field-status")
    view = _picker(gr, "field-view", BLANK_PICKER)
    legend = gr.HTML("", elem_id="field-legend")
    files = gr.File(
        label="Figure, table", file_count="multiple", interactive=False, visible=False, elem_id="field-files"
    )
    return {
        "field_network": network, "field_stride": stride, "field_steps": steps, "field_run": run, "field_stop": stop,
        "field_status": status, "field_view": view, "field_legend": legend, "field_files": files,
    }  # fmt: skip
