"""callrouter: asynchronous call routing and IVR for telephone answering services.

A call's way through the packages, from the bottom of the layers up:

core      decides: plain data in, plain data out (calls, nodes, the engine)
dialplan  turns a client's YAML into the plan the core walks
runtime   drives live calls: inputs in, effects out, each stepped where its input arrives
store     keeps the record in PostgreSQL        metrics   counts for Prometheus
asterisk  speaks to the PBX over AMI            speech    renders prompts
api       answers over HTTP
app       builds all of it; cli starts it
"""

__version__ = "0.1.0"
