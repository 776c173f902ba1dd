"""The task: which degradation, at which level, and which networks fit it. The written degradation is what counts."""

from dataclasses import replace
from typing import Any

import gradio as gr

from srlens.errors import SettingError
from srlens.imaging.degradation import Degradation
from srlens.imaging.degrade import DEFAULT, parse_degradation, tasks
from srlens.web.choices import Choices, allowed, with_level
from srlens.web.layout import AS_IT_IS
from srlens.web.session import Session
from srlens.web.wiring import QUIET, Wiring


def task_fields(wiring: Wiring, session: Session, choices: Choices) -> dict[Any, Any]:
    """Every field that depends on the task, as the choices have it."""
    parts, offered = wiring.parts, list(wiring.page.offered(session, choices))
    shared = {
        parts.networks: gr.CheckboxGroup(choices=offered, value=list(choices.networks)),
        parts.field_network: gr.Dropdown(choices=offered, value=next(iter(choices.networks or offered), None)),
    }
    if not choices.is_hr:
        hidden = {parts.level: gr.Number(visible=False), parts.degradation: gr.Dropdown(value="", visible=False)}
        return {**shared, **hidden, parts.task: AS_IT_IS}
    asked = parse_degradation(choices.made_by)
    entry = asked.entry
    task = entry.task or entry.name
    label = f"Level: {entry.level}"
    return {
        **shared,
        parts.task: task,
        parts.level: gr.Number(value=asked.level if entry.level else None, label=label, visible=bool(entry.level)),
        parts.degradation: _written(tasks()[task], choices.degradation or ""),
    }


def _written(entries: tuple[Degradation, ...], value: str) -> Any:
    """The field of the written degradation: shown where there is more to choose than the level."""
    choices = [(f"{one.written}: {one.description}"[:90], one.written) for one in entries]
    usual = {name: _text(value) for one in entries for name, value in one.settings.items() if value != ""}
    info = f"Settings can be written after it: {', '.join(f'{k}={v}' for k, v in usual.items())}" if usual else None
    if any(one.name == DEFAULT for one in entries):
        choices, info = [("the usual", ""), *choices], "Usually MATLAB's bicubic; Pillow's under the paper preset"
    elif len(entries) == 1:
        choices = [(entries[0].written, entries[0].written)]
    shown = len(choices) > 1 or bool(usual)
    return gr.Dropdown(choices=choices, value=value, label="Made by", info=info, visible=shown)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def wire_task(wiring: Wiring, refresh: Any, shown: list[Any]) -> None:
    """The task and its level; ``refresh`` shows the picture, with the outputs ``shown``, as it is made then."""
    page, parts = wiring.page, wiring.parts
    fields = [parts.task, parts.level, parts.degradation, parts.networks, parts.field_network]

    def choose(request: gr.Request, *values: Any) -> dict[Any, Any]:
        session, task = wiring.session(request), values[0]
        entries = tasks().get(task, ())
        usual = None if not entries or entries[0].name == DEFAULT else entries[0].written
        choices = replace(wiring.choices(session, values), degradation=usual)
        return task_fields(wiring, session, page.switched(session, choices))

    def write(request: gr.Request, *values: Any) -> dict[Any, Any]:
        """What was written may be of another task; what is none is told when the picture is made."""
        session = wiring.session(request)
        choices = wiring.choices(session, values)
        try:
            allowed(choices.made_by)
        except SettingError:
            return {parts.level: gr.skip()}
        return task_fields(wiring, session, page.fitting(session, choices))

    def level(value: float | None, written: str) -> str:
        return with_level(written, value)

    showing = {"api_visibility": "private", "concurrency_limit": 2, "concurrency_id": "files"}
    changes = [
        parts.task.input(choose, wiring.inputs, fields, **QUIET),
        parts.degradation.input(write, wiring.inputs, fields, **QUIET),
        parts.level.input(level, [parts.level, parts.degradation], parts.degradation, **QUIET),
    ]
    for change in changes:
        change.then(refresh, wiring.inputs, shown, **showing)
