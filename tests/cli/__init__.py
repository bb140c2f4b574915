"""Where those modules of `callrouter.cli` are tested whose name no test file has.

application, settings, usage   test_main.py
audit                   test_token.py
callbacks               ../api/test_calling_back.py
check                   ../dialplan/test_check.py
db                      ../store/test_cli_db.py
diff, show              test_questions.py
engine, up, web         ../acceptance/test_start.py
worker                  ../acceptance/test_told.py
explain, progress, stats   test_record.py
person, retention       ../api/test_person.py
pbx                     ../acceptance/test_live_editing.py
route                   ../questions/test_route.py, test_questions.py
schema                  ../dialplan/reference/test_schema.py
status                  test_dialplan.py
teams                   ../deploy/test_teams.py
upgrade                 ../app/test_upgrade.py
"""
