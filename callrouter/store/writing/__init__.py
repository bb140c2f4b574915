"""How calls that have ended get into the tables: `rows` of each, which `writer` puts down in batches.

`spool` keeps calls on disk while PostgreSQL is away.
"""
