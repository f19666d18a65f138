# The worker's own modules; the pipeline as a whole is tested by tests/replay.
foreach(module health offsets ownership rate_cap stops)
    sc_unit_test(${module}_test
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/worker/${module}_test.c
        LIBS sc_worker_core sc_common)
endforeach()
