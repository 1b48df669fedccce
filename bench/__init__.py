"""Quality and speed of nightdesk beside its peers, in one run: `python -m bench`."""
