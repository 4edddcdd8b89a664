"""What is asked of every side, and on which chip."""

from __future__ import annotations

CHIP, COST_VERSION = "loihi2", "tutorial72"
N_NEURONS_SHOWN = 20

# Over all runs together; of equals, the first in the network.
TOP_NEURONS = f"""
SELECT layer, neuron, CAST(sum(n_spikes) AS BIGINT) AS n_spikes, sum(energy_pj) AS energy_pj
FROM energy_by_neuron_all_versions
WHERE chip = '{CHIP}' AND cost_version = '{COST_VERSION}'
GROUP BY layer_index, layer, neuron
ORDER BY energy_pj DESC, layer_index, neuron
LIMIT {N_NEURONS_SHOWN}
"""
