"""HTTP: what Prometheus, load balancers, Grafana and the operator's own programs ask.

`engine_app` stands in the engine's process: /health, /ready, /metrics, /live. `web_app` stands in a process of its
own and answers from PostgreSQL: one router for each thing read (`calls`, `messages`, `stats`, `live`). `schemas` is
what they answer, `problems` how they say no (RFC 9457), `auth` who may ask, `readiness` what "ready" means,
`engine_client` how web asks the engine. Neither application knows the settings: `app` gives each what it needs.
"""
