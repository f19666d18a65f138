if(COMMAND sc_fuzz_target)
    sc_fuzz_target(json_value SOURCES ${CMAKE_CURRENT_LIST_DIR}/json_value.c LIBS sc_json)
endif()
