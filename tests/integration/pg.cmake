# The PostgreSQL client and the worker's adapters on a real server, each in a database of its own.
add_library(sc_test_pg STATIC ${CMAKE_CURRENT_LIST_DIR}/pg_live.c)
target_link_libraries(sc_test_pg PUBLIC sc_flags sc_pg sc_loop sc_common PkgConfig::CMOCKA)

foreach(name pg_conn_test pg_sync_test)
    add_executable(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c)
    target_link_libraries(${name} PRIVATE sc_test_pg)
    sc_integration_test(${name} SERVERS postgres COMMAND $<TARGET_FILE:${name}>)
endforeach()
