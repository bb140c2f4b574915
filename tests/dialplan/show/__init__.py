"""Where those modules of `callrouter.dialplan.show` are tested whose name no test file has.

layout, mermaid   test_svg.py
text              ../test_demo_clients.py, ../test_full_language.py
"""
