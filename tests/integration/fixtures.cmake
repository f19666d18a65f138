# The servers that integration tests share: started once by ctest, stopped also after a failure.
set(servers ${PROJECT_BINARY_DIR}/servers)
foreach(server postgres kafka)
    set(flags)
    if(server STREQUAL kafka)
        set(flags --secure)
    endif()
    add_test(NAME servers.${server}.start
        COMMAND ${PROJECT_SOURCE_DIR}/scripts/${server} start ${flags} ${servers}/${server})
    add_test(NAME servers.${server}.stop
        COMMAND ${PROJECT_SOURCE_DIR}/scripts/${server} stop ${servers}/${server})
    set_tests_properties(servers.${server}.start PROPERTIES
        FIXTURES_SETUP ${server} LABELS servers TIMEOUT 600)
    set_tests_properties(servers.${server}.stop PROPERTIES
        FIXTURES_CLEANUP ${server} LABELS servers TIMEOUT 120)
endforeach()
