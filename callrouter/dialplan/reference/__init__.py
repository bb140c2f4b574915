"""The language, described: `schema` for editors, `text` for people; both are made of the models."""
