if(COMMAND sc_fuzz_target)
    sc_fuzz_target(settings_text SOURCES ${CMAKE_CURRENT_LIST_DIR}/settings_text.c LIBS sc_settings)
endif()
