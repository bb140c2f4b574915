"""What each kind of document holds: the models, and a document that is understood.

`client_file`, `shared_files` and `expected_file` are the documents; `calendar`, `people`, `forms`, `delivery`,
`reports`, `retention`, `subscriptions` and `snippets` are what stands in them. `drafts` makes of a document what it
says, or what is wrong with it.
"""
