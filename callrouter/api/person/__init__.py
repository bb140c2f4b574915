"""/api/person: what is known of one telephone number; `routes`, `schemas`.

The number stands in no address: those are in the logs of servers and proxies.
"""
