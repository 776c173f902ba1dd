"""Study files are strict, and say everything that is wrong at once."""

import pytest

from srlens.errors import StudyError
from srlens.study.schema import read_study, study_from, study_schema

GOOD = """
scale = 4
windows = "windows.toml"
networks = [{open = "plain"}]
"""


def test_a_short_file_has_sensible_defaults(tmp_path):
    (tmp_path / "study.toml").write_text(GOOD)
    study = read_study(tmp_path / "study.toml")
    assert study.images.lr_size == 64
    assert study.method.resolved().algorithm.tolerance == 0.05
    assert study.folder == tmp_path / "results"


def test_every_mistake_is_named_at_once():
    content = {
        "networks": [{"open": "plain", "opne": "x"}],
        "windows": [{"image": "p.png", "top": -1, "left": 0}],
        "images": {"degradation": "lanczos", "lr_size": "64"},
        "method": {"tolerance": 2.0},
    }
    with pytest.raises(StudyError) as caught:
        study_from(content)
    text = str(caught.value)
    for part in (
        "networks.0.opne",
        "top",
        "got -1",
        "'lanczos'",
        "images.lr_size",
        "tolerance must lie between 0 and 1",
    ):
        assert part in text
    assert "srlens study schema" in text


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(StudyError, match="cannot be read: No such file"):
        read_study(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("scale = ")
    with pytest.raises(StudyError, match="no TOML"):
        read_study(tmp_path / "bad.toml")


def test_false_asks_for_whole_pictures():
    study = study_from({"networks": [{"open": "plain"}], "windows": "w.toml", "images": {"lr_size": False}})
    assert study.images.lr_size is None


def test_base_is_no_setting():
    with pytest.raises(StudyError, match="`base` is no setting"):
        study_from({"networks": [{"open": "plain"}], "windows": "w.toml", "base": "/"})


def test_the_schema_forbids_what_it_does_not_name():
    schema = study_schema()
    assert schema["additionalProperties"] is False
    assert "base" not in schema["properties"]
    assert {"networks", "windows", "method"} <= set(schema["properties"])


def test_sigma_without_a_blurred_path_is_refused():
    content = {"networks": [{"open": "plain"}], "windows": "w", "method": {"path": "linear-black", "sigma": 2.0}}
    with pytest.raises(StudyError, match="blurred path"):
        study_from(content)
