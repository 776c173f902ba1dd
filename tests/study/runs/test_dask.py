"""Dask as the executor of a study."""

import pytest

from srlens.study.run import run_study

distributed = pytest.importorskip("distributed")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_study_runs_on_dask_workers(make_study, here, tmp_path, stored_bytes):
    run_study(make_study(), executor=here, folder=tmp_path / "undisturbed")
    study = make_study()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        summary = run_study(study, executor=client.get_executor(), batch=2)
        assert (summary.computed, summary.failures) == (6, ())
        next(study.folder.glob("parts/*")).write_bytes(b"")
        again = run_study(study, executor=client.get_executor(), resume=True)
        assert (again.found, again.computed) == (5, 1)
    assert stored_bytes(study.folder) == stored_bytes(tmp_path / "undisturbed")
