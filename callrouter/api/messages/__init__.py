"""/api/messages, and /api/clients/CLIENT/forms: what callers want somebody to know.

`listed` shows messages, by voice and by form, and one with its whole trail; `taken` takes one by form, `changed`
corrects, settles and reassigns them, `forms` says what is to be asked for a client. `delivery` shows who was told of
one and which must be looked at, and has them told again. `desk` is what these need to know: the client's plan, and the
call. `schemas` and `delivery_schemas` are what they take and answer, `routes` joins them.
"""
