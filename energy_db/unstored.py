"""Reports of a run file that is stored nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db import lifecycle, sql
from energy_db.intake import declaration as declared
from energy_db.intake.ingest import IngestOptions, price_file
from energy_db.network_files import read_network
from energy_db.priced import PricedRuns
from energy_db.reports import report


class FileReports(PricedRuns):
    """A run file that is priced directly: rolled up in memory, stored nowhere.

    Parameters
    ----------
    source : path-like
        The run file.
    by_step : bool
        Whether timelines are wanted, which take a further look at the events.
    chip : str, optional
        The only chip that is asked for; by default all of them can be.
    network, counters, columns, roles, n_timesteps, n_samples, timestep_us : optional
        As in `EnergyStore.ingest`.
    """

    def __init__(
        self,
        source: str | PathLike[str],
        *,
        by_step: bool = False,
        chip: str | None = None,
        network: str | PathLike[str] | Mapping[str, Any] | None = None,
        counters: Any = None,
        columns: Mapping[str, str] | None = None,
        roles: Mapping[str, str] | None = None,
        **timing: Any,
    ) -> None:
        views = [*report.VIEWS, *([report.STEP_VIEW] if by_step else []), *([] if chip else [report.CATALOGUE_VIEW])]
        super().__init__(lifecycle.scratch_store(views, sql.shipped_chip(chip)))
        said = declared.from_options(timing, roles or {})
        options = IngestOptions(said, read_network(network), columns or {}, keep_events=False, counters=counters)
        self.only_run = price_file(self._engine, Path(source), options, by_step)
