sc_unit_test(ctl_draft_test SOURCES unit/ctl_draft_test.c LIBS sc_ctl sc_settings sc_json)
