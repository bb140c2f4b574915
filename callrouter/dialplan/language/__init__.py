"""How what is written is understood: YAML into texts that know their line, texts into values.

`reader` reads YAML, `values` and `fields` make values of texts, `dates` days, `conditions` what a branch asks,
`prompts` what is said, `sentences` where values stand in it, `templates` texts with variables. `languages` are those
that can be spoken, `own_texts` the sentences that are ours, `waiting_texts` those callers hear who wait, `agent_texts`
those agents hear, `timezones` the zones that may be named. `identities` is whose number is shown outside, `bounds`
holds the warnings that a file may accept by name and the times within which nobody is asked, `keys` which key leads
where, `spoken_keys` the keys that a sentence asks for. `validation` words what pydantic found, `words` says values of a
plan to a person.
"""
