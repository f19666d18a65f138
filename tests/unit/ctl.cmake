sc_unit_test(ctl_draft_test SOURCES unit/ctl_draft_test.c LIBS sc_ctl sc_settings sc_json)
sc_unit_test(ctl_csv_test SOURCES unit/ctl_csv_test.c LIBS sc_ctl)
sc_unit_test(ctl_letter_test SOURCES unit/ctl_letter_test.c LIBS sc_ctl sc_domain)
sc_unit_test(ctl_fresh_test SOURCES unit/ctl_fresh_test.c LIBS sc_ctl)
# These two bring services of their own.
sc_unit_test(ctl_follow_test SOURCES unit/ctl_follow_test.c LIBS sc_ctl sc_json)
sc_unit_test(ctl_replay_batch_test SOURCES unit/ctl_replay_batch_test.c LIBS sc_ctl sc_settings)
