"""What clients consume and pay, in the record: tariffs, and invoices that never change once they are issued.

`tariffs` keeps every tariff that was set, and for whom from which day on. `measuring` reads what is billed from the
record; `billing` makes a month's statement of it, with what corrects earlier months; `issuing` freezes it. `frozen`
keeps what an invoice billed, item by item, and gives it back; `invoices` reads them, in pages. `comparing` says what a
month would have cost by another tariff, `unbilled` since when nothing may be deleted because it is not billed yet.

A client's invoices are issued one at a time: whoever issues one, or changes its tariff, holds its lock (`tariffs`).
"""
