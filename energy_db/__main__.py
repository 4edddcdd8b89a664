"""`python -m energy_db`: the command line."""

from energy_db.cli import main

main()
