"""Many runs: listed, grouped, followed over time."""
