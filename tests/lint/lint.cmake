add_test(NAME lint COMMAND ${PROJECT_SOURCE_DIR}/scripts/lint)
set_tests_properties(lint PROPERTIES LABELS lint TIMEOUT 120)

add_test(NAME lint.deep COMMAND ${PROJECT_SOURCE_DIR}/scripts/lint --deep)
set_tests_properties(lint.deep PROPERTIES LABELS lint TIMEOUT 900 COST 900)
