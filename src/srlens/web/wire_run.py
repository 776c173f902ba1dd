"""Events of the first tab: run, stop, results, files."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from srlens.web.asset import asset
from srlens.web.callbacks import Answer
from srlens.web.results import message_html, results_html
from srlens.web.share import command_line, python_lines, to_query
from srlens.web.wiring import COMPUTING, QUIET, Wiring, sentence

_BLEND = "(v) => { document.documentElement.style.setProperty('--srl-blend', v / 100); }"


def wire_run(gr: Any, wiring: Wiring) -> None:
    """One window."""
    page, parts = wiring.page, wiring.parts
    outputs = [
        parts.status, parts.blend, parts.results, parts.after, parts.top, parts.left, parts.query, parts.command,
        parts.python,
    ]  # fmt: skip

    def run(request: gr.Request, *values: Any) -> Iterator[Any]:
        session = wiring.session(request)
        session.comparison = None
        unchanged = [gr.skip()] * (len(outputs) - 1)
        yield from wiring.steps(
            lambda: page.run(session, wiring.choices(session, values)), partial(_answered, gr), unchanged
        )

    def files(request: gr.Request) -> Any:
        try:
            return [str(file) for file in page.files(wiring.session(request))] or None
        except Exception as error:
            raise gr.Error(message_html(sentence(error)), print_exception=False) from error

    def move(request: gr.Request, *values: Any) -> Any:
        session = wiring.session(request)
        return wiring.picker(session, wiring.choices(session, values)) if session.comparison else gr.skip()

    def pick(event: gr.SelectData, request: gr.Request) -> Any:
        """The window of the field that was clicked, to be run at once."""
        try:
            x, y = (float(v) for v in event.index)
            window = page.field_window(wiring.session(request), x, y)
        except Exception as error:
            raise gr.Error(message_html(sentence(error)), print_exception=False) from error
        selected = gr.Tabs(selected="window")
        return message_html("Starting…"), window.top, window.left, window.height, selected

    computing = {"show_progress_on": parts.status, **COMPUTING}
    picked = parts.field_view.select(pick, None, [parts.status, parts.top, parts.left, parts.size, parts.tabs], **QUIET)
    runs = [
        parts.run.click(run, wiring.inputs, outputs, **computing),
        picked.success(run, wiring.inputs, outputs, **computing),
    ]
    wiring.stop(parts.stop, parts.status, runs)
    for running in runs:
        running.then(None, parts.query, parts.link, js=asset("link.js"))
        running.then(move, wiring.inputs, parts.picker, **QUIET)
        running.then(
            files,
            None,
            parts.files,
            concurrency_limit=1,
            concurrency_id="figures",
            show_progress="minimal",
            api_visibility="private",
        )
    parts.blend.input(None, parts.blend, None, js=_BLEND)


def _answered(gr: Any, answer: Answer) -> tuple[Any, ...]:
    choices, comparison = answer.choices, answer.comparison
    seconds = sum(row.seconds or 0 for row in comparison.rows)
    return (
        message_html(f"Done in {seconds:.1f} s. Window: {comparison.window_choice}."),
        gr.Slider(visible=True),
        results_html(comparison, choices.style, answer.notes),
        gr.Column(visible=True),
        choices.top,
        choices.left,
        to_query(choices),
        command_line(choices),
        python_lines(choices, comparison.rows[0].network.scale),
    )
