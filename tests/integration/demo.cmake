# What a newcomer sees first. It builds build/release, so it is tried from there only.
if(PROJECT_BINARY_DIR STREQUAL "${PROJECT_SOURCE_DIR}/build/release")
    foreach(kind sandbox kafka)
        add_test(NAME integration.demo.${kind}
            COMMAND ${CMAKE_CURRENT_LIST_DIR}/demo_test.sh
                    $<$<STREQUAL:${kind},kafka>:--kafka>)
        set_tests_properties(integration.demo.${kind} PROPERTIES
            LABELS integration TIMEOUT 180 RESOURCE_LOCK demo)
    endforeach()
endif()
