"""The books of a call: who was rung, who answered, who hung up, and the one disposition at the end.

`ledger` keeps queue visits and dials, and concludes; `offers` keeps each ring of an agent, folded from what is heard of
the agent's channel, `legs` each party's side: talk, hold, and who hung up; `holds` each hold, `recordings` each
recording of a conversation, `supervision` supervisors in it. `redating` moves all of it when the clock that dated it is
set.
"""
