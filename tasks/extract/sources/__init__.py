"""Who speaks: mentions of sources, their identity within and over articles, kind, role and affiliation."""
