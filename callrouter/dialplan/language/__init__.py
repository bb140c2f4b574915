"""What may be written, and what each text becomes.

`reader` turns YAML into texts that know their line, `values` and `fields` texts into values, `conditions` what a branch
asks. `client_file`, `shared_files` and `expected_file` are the documents, `calendar`, `people` and `snippets` what
stands in them, `own_texts` the sentences that are ours, `timezones` the zones that may be named. `validation` words
what pydantic found; `drafts` joins these into a document that is understood.
"""
