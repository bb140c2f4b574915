"""The figures callrouter promises, measured on a real Asterisk with a real PostgreSQL: `make bench`.

    run.py              which benches, in which order; prints tables, writes RESULTS.md
    core_step.py        a step of the core
    ami.py              reading the manager's stream, beside panoramisk
    writer.py           rows into PostgreSQL when catching up
    drain.py            the backlog of an outage into PostgreSQL
    others.py           runs core_step, writer and drain, each in a process of its own
    control.py          the control round trip of the whole engine, beside FastAGI, ARI and plain AsyncAGI
    load.py             calls a second, until it breaks, beside Asterisk's own dialplan
    held.py             many live calls at once
    restart.py          a start after a kill, with 800 clients: when it takes calls, when all is loaded
    stream.py           how soon after Asterisk's own event a screen can pop up
    route_command.py    what `callrouter route` and its like cost as commands
    dialplans_load.py   800 clients, loaded and proved from cold
    proof.py            what of that is the proof, and the largest tree
    reload.py           from saving a file to its being live, with 800 clients
    teams.py            from saving the teams' file to Asterisk's ringing so, with 800 clients
    files.py            runs these five, and `callrouter diff` on a large tree after many edits
    clients.py · big_trees.py          the 800 clients' files, and the large tree with its edits

    history/            a database with a seeded history of millions of calls: `python -m bench history`
    against.py          this build beside an earlier one, in pairs: `python -m bench against REV`
    probe.py            the figures of one build that are compared

    chaos.py            the table of what `make chaos` found, in chaos.jsonl (docs/chaos.md)

    stand.py            Asterisk and the engine, as the benches need them
    engine_process.py   `callrouter engine`, keeping every measured time instead of counting it into buckets
    callers.py          SIPp
    cpu.py · figures.py · report.py    what is read from /proc, percentiles, and tables
    peers/              hand-written controllers of a few lines each
    dialplans/          the client that is called

Nothing here is a test: figures depend on the machine.
"""
