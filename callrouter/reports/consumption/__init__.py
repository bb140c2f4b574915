"""Statements of consumption as people read them, in French and English.

`words` says what each line bills, `table` makes cells of it, `screen` is for a terminal, `document` what is printed
(`callrouter.reports.printed` makes the PDF), `comma_separated` the CSV of lines and of items. `rendering` knows the
forms.
"""
