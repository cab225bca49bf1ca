"""How each of the three databases came to its present tables: one line of revisions for each, under `versions/`."""
