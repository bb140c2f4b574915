"""Where those modules of `callrouter.core` are tested whose name no test file has.

agents                         test_preference.py, ../asterisk/agents/test_log_in.py, ../dialplan/shared/test_crew.py
call, effects, facts, inputs   test_lifecycle.py, test_journeys.py
conditions                     nodes/test_nodes.py, ../questions/test_exploring.py
engine                         test_lifecycle.py, test_bounds.py, test_properties.py
explain                        test_journeys.py
fallback                       ../dialplan/test_proof.py
nodes                          nodes/test_nodes.py
plan                           test_bounds.py, ../questions/test_route.py
read_aloud                     ../asterisk/test_say.py
retention                      ../dialplan/test_retention.py
rota                           test_journeys.py, ../questions/test_rehearsal.py
steps                          test_lifecycle.py, test_properties.py, books
templates                      nodes/test_nodes.py, ../dialplan/test_outside.py
"""
