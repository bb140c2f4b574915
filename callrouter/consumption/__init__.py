"""What clients consume, and what it costs them: tariffs as data, and arithmetic that is exact.

`tariff` is what a tariff says, `document` reads it from YAML and judges it, `money` rounds. `items` are what is billed,
one by one: calls, callbacks, messages, SMS, each as it was measured; `rating` says what each counts for, and makes
lines of all of them; `statement` is a month's lines together, with what earlier months are corrected by.

Amounts are Decimal, quantities whole numbers (pieces, seconds, days): no float is ever added up. Nothing here does I/O.
"""
