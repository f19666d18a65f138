# Its corpus is tests/corpus/jobs.
if(COMMAND sc_fuzz_target)
    sc_fuzz_target(job_value SOURCES ${CMAKE_CURRENT_LIST_DIR}/job_value.c LIBS sc_domain sc_json)
    if(TARGET job_value)
        target_compile_definitions(job_value PRIVATE SENDCODE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    endif()
endif()
