if(COMMAND sc_fuzz_target)
    sc_fuzz_target(provider_answer
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/provider_answer.c
        LIBS sc_worker_tencent)
endif()
