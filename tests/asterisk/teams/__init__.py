"""Teams and telephones, from the folder to a running Asterisk.

document, sections   ../../deploy/test_teams.py
folder, console      test_applier.py
"""
