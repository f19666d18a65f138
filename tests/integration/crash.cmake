# The worker once more with its crash points in it, and the test that dies at each. The installed
# program has none.
if(NOT SENDCODE_FUZZ AND NOT SENDCODE_SANITIZE AND NOT SENDCODE_COVERAGE)
    set(sources ${PROJECT_SOURCE_DIR}/common/crashpoint.c)
    foreach(part sc_worker_core sc_worker_kafka sendcode-worker)
        get_target_property(files ${part} SOURCES)
        list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/worker/)
        list(APPEND sources ${files})
    endforeach()
    add_executable(sendcode-worker-crash ${sources})
    target_compile_definitions(sendcode-worker-crash PRIVATE
        SENDCODE_CRASHPOINTS SENDCODE_VERSION="${PROJECT_VERSION}")
    target_link_libraries(sendcode-worker-crash PRIVATE
        sc_flags sc_worker_pg sc_worker_tencent sc_provider_verdict
        sc_kafka sc_settings sc_crypto sc_domain sc_json sc_loop sc_common)
    set_target_properties(sendcode-worker-crash PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
        EXPORT_COMPILE_COMMANDS OFF) # lint reads each source once
    sc_integration_test(crash_points LABEL chaos SERVERS postgres kafka TIMEOUT 600
        COMMAND python3 -B ${CMAKE_CURRENT_LIST_DIR}/crash/test_points.py)
endif()
