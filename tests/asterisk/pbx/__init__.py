"""What is looked at of a whole PBX, and where what has no test file of its name is tested.

outgoing   ../test_outgoing.py
"""
