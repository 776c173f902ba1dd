"""What the browser is sent beside pictures and words: style sheets, the picker's HTML and script."""

from importlib import resources


def asset(name: str) -> str:
    """The text of a file of the folder ``assets``."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
