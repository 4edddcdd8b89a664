"""How a run comes in: what a run file must hold, what is declared of it, and how it is stored."""
