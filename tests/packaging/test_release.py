"""What a release says of itself: one version everywhere, a citation that tools can read, a README for an index page."""

import datetime
import re
import tomllib
from pathlib import Path

import yaml

import srlens

ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_version_and_date_are_the_same_everywhere() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    cut = next(heading for heading in headings if heading != "Unreleased")
    assert cut == f"{srlens.__version__} ({CITATION['date-released']})"
    assert CITATION["version"] == srlens.__version__


def test_citation_has_what_its_schema_asks_for() -> None:
    """What schema 1.2.0 requires of a file and of a reference; the whole schema: ``cffconvert --validate``."""
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(CITATION)
    assert CITATION["type"] == "software"
    assert CITATION["license"] == PROJECT["project"]["license"]
    assert isinstance(CITATION["date-released"], datetime.date)
    paper = CITATION["preferred-citation"]
    assert {"type", "title", "authors"} <= set(paper)
    assert all({"family-names", "given-names"} == set(author) for author in paper["authors"])


def test_readme_is_for_an_index_page_too() -> None:
    """Every picture and link of the README is of a file that there is, and an address once substituted."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [one for one in re.findall(r"\]\(([^)]+)\)", text) if not one.startswith("http")]
    assert targets
    assert [one for one in targets if not (ROOT / one).is_file()] == []
    for rule in PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
        assert rule["replacement"].startswith(("](https://github.com/", "](https://raw.githubusercontent.com/"))
    assert re.findall(r"\]\((?!https://)[^)]*\)", text) == []


def test_the_space_asks_for_this_version() -> None:
    space = ROOT / "deploy" / "space"
    assert (space / "requirements.txt").read_text(encoding="utf-8").strip() == f"srlens[app]>={srlens.__version__}"
    card = yaml.safe_load((space / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert card["sdk"] == "gradio"
    assert (space / card["app_file"]).is_file()
