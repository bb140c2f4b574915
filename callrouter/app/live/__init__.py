"""What is live, from one engine to the next.

`expected_routes` keeps out of service what fails its own routes. `last_live` knows what was live before a start, by the
record or by the engine's own disk: that is `live_plans`, which `keeper` writes. `agent_ids` says when an agent's
identifier was once somebody else's.
"""
