"""What is looked at of a whole PBX, every few seconds and beside the calls.

`queue_check` compares its queues and telephones with the folder's, and with the queues that trees name
(`queues_named`), one by one (`queue_differences`), and says what becomes of callers where one is missing
(`missing_queues`); `media_watch` ends legs whose media stopped, `refused` says how
many calls its limits refused; `trunk_check` says which carriers do not answer; `agent_watch` follows how agents
stand; `frozen` whether calls advance on it at all. `maintenance` drains it before a planned restart. `outgoing` places
calls of our own that wait for an agent, `message_calls` those that tell somebody of a message, and both read how far
they are (`placed_calls`: what is alike); `callback_agents` knows which agents have a callback.
`rounds` is the loop of those that look again and again.
`astdb` reads a family of Asterisk's own database, for all who do, and `database_size` says how many entries there are.
"""
