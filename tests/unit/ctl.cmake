sc_unit_test(ctl_draft_test SOURCES unit/ctl_draft_test.c LIBS sc_ctl sc_settings sc_json)
# It brings a kafka_events_next of its own.
sc_unit_test(ctl_follow_test SOURCES unit/ctl_follow_test.c LIBS sc_ctl sc_json)
