# What a newcomer sees first. It builds build/release, so it is tried from there only.
if(PROJECT_BINARY_DIR STREQUAL "${PROJECT_SOURCE_DIR}/build/release")
    set(demo ${CMAKE_CURRENT_LIST_DIR}/demo_test.sh)
    add_test(NAME integration.demo.sandbox COMMAND ${demo})
    add_test(NAME integration.demo.kafka COMMAND ${demo} --kafka)
    set_tests_properties(integration.demo.sandbox integration.demo.kafka PROPERTIES
        LABELS integration TIMEOUT 180 RESOURCE_LOCK demo)
endif()
