add_test(NAME lint COMMAND ${PROJECT_SOURCE_DIR}/scripts/lint)
set_tests_properties(lint PROPERTIES LABELS lint TIMEOUT 120)
