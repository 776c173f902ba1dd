"""Events of the first tab: run, stop, results, files."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from srlens.web.answers import Answer
from srlens.web.asset import asset
from srlens.web.results import message_html, results_html
from srlens.web.share import command_line, python_lines, to_query
from srlens.web.wiring import COMPUTING, QUIET, Wiring, sentence

FIGURES = {"concurrency_limit": 1, "concurrency_id": "figures", "api_visibility": "private"}
_BLEND = "(v) => { document.documentElement.style.setProperty('--srl-blend', v / 100); }"


def wire_run(wiring: Wiring) -> None:
    """One window."""
    page, parts = wiring.page, wiring.parts
    outputs = [
        parts.status, parts.blend, parts.results, parts.after, parts.top, parts.left, parts.query, parts.command,
        parts.python,
    ]  # fmt: skip

    def answered(answer: Answer) -> dict[Any, Any]:
        choices, comparison = answer.choices, answer.comparison
        seconds = sum(row.seconds or 0 for row in comparison.rows)
        return {
            parts.status: message_html(f"Done in {seconds:.1f} s. Window: {comparison.window_choice}."),
            parts.blend: gr.Slider(visible=True),
            parts.results: gr.HTML(results_html(comparison, choices.style, answer.notes), elem_classes=[]),
            parts.after: gr.Column(visible=True),
            parts.top: choices.top,
            parts.left: choices.left,
            parts.query: to_query(choices),
            parts.command: command_line(choices),
            parts.python: python_lines(choices, comparison.rows[0].network.scale),
        }

    def run(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
        session = wiring.session(request)
        session.comparison = None
        yield from wiring.steps(parts.status, lambda: page.run(session, wiring.choices(session, values)), answered)

    @wiring.told(parts.status)
    def files(request: gr.Request) -> dict[Any, Any]:
        return {parts.files: [str(file) for file in page.files(wiring.session(request))] or None}

    def move(request: gr.Request, *values: Any) -> Any:
        session = wiring.session(request)
        return wiring.picker(session, wiring.choices(session, values)) if session.comparison else gr.skip()

    def pick(event: gr.SelectData, request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
        """Run the window of the field that was clicked, by the network of the field."""
        session = wiring.session(request)
        try:
            x, y = (float(v) for v in event.index)
            choices = page.of_field(session, wiring.choices(session, values), x, y)
        except Exception as error:
            yield {parts.field_status: message_html(sentence(error), "error")}
            return
        yield {
            parts.top: choices.top,
            parts.left: choices.left,
            parts.size: choices.size,
            parts.networks: list(choices.networks),
            parts.tabs: gr.Tabs(selected="window"),
        }
        yield from wiring.steps(parts.status, lambda: page.run(session, choices), answered)

    computing = {"show_progress_on": parts.status, **COMPUTING}
    also = [parts.size, parts.networks, parts.tabs, parts.field_status]
    runs = [
        parts.run.click(run, wiring.inputs, outputs, **computing),
        parts.field_view.select(pick, wiring.inputs, [*outputs, *also], **computing),
    ]
    wiring.stop(parts.stop, parts.status, runs)
    for running in runs:
        running.then(None, parts.query, parts.link, js=asset("link.js"))
        running.then(move, wiring.inputs, parts.picker, **QUIET)
        running.then(
            files, None, [parts.files, parts.status], show_progress="minimal", show_progress_on=parts.files, **FIGURES
        )
    parts.blend.input(None, parts.blend, None, js=_BLEND)
