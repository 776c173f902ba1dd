"""The words of restoration."""

import pytest

from srlens.imaging.terms import worded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LR 64×64", "input 64×64"),
        ("3 LR px. SR of the window.", "3 input px. Output of the window."),
        ("HR data/HR/a.png of my-SR-net", "clean data/HR/a.png of my-SR-net"),
    ],
)
def test_words_follow_the_task(text: str, expected: str) -> None:
    assert worded(text, 1) == expected
    assert worded(text, 4) == text
