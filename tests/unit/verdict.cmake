# What the provider's answers mean for a job.
sc_unit_test(provider_verdict_test
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/provider_verdict_test.c
    LIBS sc_provider_verdict sc_common)
if(TARGET provider_verdict_test)
    target_compile_definitions(provider_verdict_test
        PRIVATE SENDCODE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
