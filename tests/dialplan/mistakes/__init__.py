"""How much of what people get wrong `check` finds, and what it says of trees that are right: figures, by a seed.

`places` and `trades` are what client firms are made of, `firms` makes right ones of all kinds, `capabilities` counts
what they use. Each module `of_…` makes the mistakes of one subject out of right firms, as people make them; `kinds`
lists them all, `folders` has them judged and `trying` counts. `python -m tests.dialplan.mistakes` prints the table,
`tests/dialplan/test_mistakes.py` holds it.
"""
