"""SQL for people: queries under a name, their values, and what there is to ask."""
