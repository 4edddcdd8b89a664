-- What changed in each operation of each layer from one run to another under the costs in force, of those that take
-- part; filter on both runs.
-- Grain: one row per (run a, run b, chip, operation, layer of either run).
CREATE OR REPLACE VIEW comparison_by_layer_operation (
    -- The run before.
    run_id_a,
    -- The run after.
    run_id_b,
    -- Name of the run before.
    run_name_a,
    -- Name of the run after.
    run_name_b,
    -- The chip.
    chip,
    -- The cost set that prices the run before.
    cost_version_a,
    -- The cost set that prices the run after.
    cost_version_b,
    -- Position of the layer in the network of the run after, from 0, then those that only the run before has; empty for
    -- what belongs to no layer.
    layer_index,
    -- Name of the layer; empty for what belongs to no layer.
    layer,
    -- What the hardware does.
    operation,
    -- What the operation is charged on.
    driver,
    -- The finest grain at which the driver is known: 'spike', 'neuron', 'layer' or 'run'.
    grain,
    -- Units of the driver in the run before. [count]
    driver_count_a,
    -- Units of the driver in the run after. [count]
    driver_count_b,
    -- Energy of one unit in the cost set before; empty where it has no such operation. [pJ]
    cost_a_pj,
    -- Energy of one unit in the cost set after; empty where it has no such operation. [pJ]
    cost_b_pj,
    -- Energy in the run before. [pJ]
    energy_a_pj,
    -- Energy in the run after. [pJ]
    energy_b_pj,
    -- Energy in the run after less that in the run before. [pJ]
    change_pj
) AS
SELECT
    compared.run_id_a,
    compared.run_id_b,
    compared.run_name_a,
    compared.run_name_b,
    compared.chip,
    compared.cost_version_a,
    compared.cost_version_b,
    compared.layer_index,
    compared.layer,
    compared.operation,
    compared.driver,
    compared.grain,
    compared.driver_count_a,
    compared.driver_count_b,
    compared.cost_a_pj,
    compared.cost_b_pj,
    compared.energy_a_pj,
    compared.energy_b_pj,
    compared.change_pj
FROM comparison_by_layer_operation_all_versions AS compared
INNER JOIN cost_version_in_force AS in_force ON compared.chip = in_force.chip
WHERE compared.cost_version_a = in_force.cost_version AND compared.cost_version_b = in_force.cost_version;
