"""One engine at a time at a PBX: the place, by every order of a model and, in `test_many`, on a real Asterisk."""
