# Clients that are not ours, on node: installed by a fixture into the build folder, outside the tree.
if(NOT SENDCODE_FUZZ)
    set(dir ${PROJECT_BINARY_DIR}/clients)
    add_test(NAME servers.clients.install COMMAND ${CMAKE_CURRENT_LIST_DIR}/install.sh ${dir})
    set_tests_properties(servers.clients.install PROPERTIES
        FIXTURES_SETUP clients LABELS servers TIMEOUT 600)
    foreach(name asyncapi job_schema sdk broker secure)
        set(needed clients)
        if(name STREQUAL secure)
            list(APPEND needed kafka)
        endif()
        sc_integration_test(clients_${name} SERVERS ${needed}
            COMMAND ${CMAKE_COMMAND} -E env SENDCODE_SOURCE_DIR=${PROJECT_SOURCE_DIR}
                    node --dns-result-order=ipv4first --test ${dir}/${name}.test.mjs)
    endforeach()
endif()
