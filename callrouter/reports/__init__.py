"""Reports: figures as people print them, from what was asked to a file, in French and English.

`reading` asks the record what a report says, `making` makes a report of it: compared, sorted, cut off, added up.
`model` is what a report is, `lines` what one row is computed from, `beside` what is told beside calls (what agents did,
messages, callbacks), `columns` which figures it has, `words` how they are called, `notes` what stands above and below
them, `drill` the way from a row to its calls.

`rendering` knows the forms: `screen` for a terminal, `flat` the table of `comma_separated` (CSV) and `spreadsheet`
(XLSX), `chart` a picture (SVG), `document` what is printed, and `printed` that as PDF. JSON is the API's
(`api.schemas.reports`).

`consumption` has what clients pay, in the same look.

Nothing here but `reading` does I/O. XlsxWriter and typst are imported by the one module that needs each, and that
module when a file is made: neither the engine nor `callrouter --help` loads them.
"""
