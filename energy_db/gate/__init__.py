"""What may be merged: budgets, limits, accepted levels."""
