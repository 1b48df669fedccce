"""Inputs in the style of real pages, each with the tables it must give beside it (NAME.json).

`python -m tests.golden.regen [NAME …]` writes the expected tables anew; the diff is what is to be reviewed.
"""
