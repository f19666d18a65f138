# JSON to the letter.
sc_unit_test(json_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/json_test.c LIBS sc_json sc_common)
