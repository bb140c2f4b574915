"""callrouter: asynchronous call routing and IVR for telephone answering services.

A call's way through the packages, from the bottom of the layers up:

`core`       decides: plain data in, plain data out (calls, nodes, the engine)
`dialplan`   turns a client's YAML into the plan the core walks
`questions`  asks plans without a telephone: one call, all that can happen, what a change means
`staffing`   says how many agents a line needs
`consumption`  says what clients pay for their calls
`runtime`    drives live calls: inputs in, effects out, each stepped where its input arrives
`stream`     tells programs that follow, as it happens, what happens to calls and agents
`delivery`   tells clients' systems what calls ask for: a queue, and the channels it sends by
`outgoing`   calls back whoever asked for it
`store`      keeps the record in PostgreSQL
`metrics`    counts for Prometheus
`asterisk`   speaks to the PBX over AMI
`reports`    prints the record's figures: on a screen, as PDF, spreadsheet, picture
`dispatch`   tells people of messages, until somebody acknowledges
`speech`     renders prompts
`transcripts`  has a machine write down what recorded messages say
`normalisation`  brings what is written into the words that are said, before `speech` has them spoken
`api`        answers over HTTP
`settings`   reads CALLROUTER_* variables
`app`        builds all of it
`cli`        starts it

Below all of them stand `errors`, `logs`, `masking` (of callers' numbers in logs), `garbage` (when the collector
runs), `hurry` (what goes before other programs), `periods` (days and times that people ask for), `pbx_names` (how
queues and telephones can be called at the PBX) and `permissions` (who may do what); `testing` plays calls for our tests
and for clients' own.
"""

__version__ = "0.1.0"
