"""Without a Slurm, that is said."""

import shutil

import pytest

from srlens.errors import StudyError
from srlens.study.executors.slurm import SlurmExecutor


def test_no_slurm_is_a_named_error(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(StudyError, match="no Slurm on this machine"):
        SlurmExecutor(tmp_path)
