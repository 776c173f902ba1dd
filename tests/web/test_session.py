from pathlib import Path

import torch

from srlens.web.limits import Limits
from srlens.web.session import Picture, Sessions


def test_tabs_do_not_share() -> None:
    sessions = Sessions(Limits())
    one, other = sessions.of("1"), sessions.of("2")
    one.picture = Picture("a", torch.zeros(3, 8, 8))
    assert other.picture is None
    assert sessions.of("1") is one


def test_the_longest_idle_tab_makes_room() -> None:
    sessions = Sessions(Limits(sessions=2))
    first = sessions.of("1")
    sessions.of("2")
    sessions.of("3")
    assert len(sessions) == 2
    assert first.cancel.is_set()
    assert sessions.of("1") is not first


def test_bytes_are_bounded() -> None:
    sessions = Sessions(Limits(session_bytes=3 * 64 * 64 * 4 * 2))
    for name in "12345":
        sessions.of(name).picture = Picture("a", torch.zeros(3, 64, 64))
    sessions.of("6")
    assert len(sessions) <= 3


def test_a_new_run_stops_the_old_one() -> None:
    session = Sessions(Limits()).of("1")
    before = session.begin()
    after = session.begin()
    assert before.is_set()
    assert not after.is_set()


def test_closing_a_tab_stops_its_run_and_removes_its_files(tmp_path: Path) -> None:
    sessions = Sessions(Limits())
    session = sessions.of("1")
    session.folder = tmp_path / "files"
    session.folder.mkdir()
    (session.folder / "result.json").write_text("{}")
    sessions.drop("1")
    assert session.cancel.is_set()
    session.folder.mkdir()  # by a figure that was being drawn
    assert session.kept([session.folder / "late.png"]) == []
    assert not (tmp_path / "files").exists()
    sessions.drop("1")
