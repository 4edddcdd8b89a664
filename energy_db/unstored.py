"""Reports of a run file that is stored nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db import lifecycle
from energy_db.intake import declaration as declared
from energy_db.intake.ingest import IngestOptions, price_file
from energy_db.reports import report
from energy_db.store import EnergyStore


class FileReports(EnergyStore):
    """A run file that is priced directly: rolled up in memory, stored nowhere.

    Parameters
    ----------
    source : path-like
        The run file.
    by_step : bool
        Whether timelines are wanted, which take a further look at the events.
    network, columns, roles, n_timesteps, n_samples, timestep_us : optional
        As in `EnergyStore.ingest`.
    """

    def __init__(
        self,
        source: str | PathLike[str],
        *,
        by_step: bool = False,
        network: str | PathLike[str] | Mapping[str, Any] | None = None,
        columns: Mapping[str, str] | None = None,
        roles: Mapping[str, str] | None = None,
        **timing: Any,
    ) -> None:
        self._read_only = True
        self._engine = lifecycle.scratch_store([*report.VIEWS, report.STEP_VIEW] if by_step else report.VIEWS)
        said = declared.from_options(timing, roles or {})
        options = IngestOptions(said, declared.read(network), columns or {}, keep_events=False)
        self.only_run = price_file(self._engine, Path(source), options, by_step)
