"""HTTP: what Prometheus, load balancers, Grafana and the operator's own programs ask.

`engine_app` stands in the engine's process: /health, /ready, /metrics and /live, with `status` (/status and /reload)
and `pbx` (what its PBX's unit is handed, and its draining before a restart). `web_app` stands in a process of its own
and answers from PostgreSQL alone, one router for each thing read: `calls`, `messages` (which are taken there, too),
`recordings` (with their `sound`), `callbacks`, `deliveries`, `worklist`, `stats`, `reports`, `consumption` (what
clients pay) and `audit`; `live` passes on what the engine says (`engine_client`), and `stream` what happens, as it
happens. `retention` says what was deleted when, `person` what is known of one number, and erases it. `links` are pages
for people: for whoever was sent a link. `receipts` takes what the SMS gateway says became of an SMS, `replies` what
people answer to one.
In both, `agents` says where agents stand and does what is wanted for them, `supervision` what supervisors want in
conversations, `control` what agents want in theirs (`conversations`: what these share).

`schemas` are what they answer, `answers` how that is sent, `filters` the query parameters they share, `bodies` how much
of a request is read, `problems` how they say no (RFC 9457), `auth` who may ask for what, `throttle` how often,
`readiness` what "ready" means. Neither application knows the settings: `app` gives each what it needs.
"""
