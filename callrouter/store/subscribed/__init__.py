"""What other systems are to be told: of what happened (`happened`), which becomes deliveries in one transaction, and of
days (`days`), whose figures are told once they are over, and again when they change; and what the live event stream
tells of what came into the record (`streamed`). `monthly` has the reports of months that people are sent.
"""
