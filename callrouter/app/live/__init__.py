"""What is live, from one engine to the next.

`live_plans` is the engine's own disk, which `keeper` writes: what is live, and what calls walk. `disk_plans` makes
single plans of it, by `compiling`, which makes plans of the past again, and `made_ahead` all, while another engine
leads. `first_load` loads the folder at a start; `last_live` knows what was live before it, by the record or by the
disk, and `taken_over` keeps it at a take-over, whatever stands in the folder; `on_disk` is what processes beside the
engine see of it. `expected_routes` keeps out of service what fails its own routes. `agent_ids` says when an agent's
identifier was once somebody else's.
"""
