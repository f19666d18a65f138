# The PostgreSQL client and the worker's adapters on a real server, each in a database of its own.
add_library(sc_test_pg STATIC
    ${CMAKE_CURRENT_LIST_DIR}/pg_live.c ${CMAKE_CURRENT_LIST_DIR}/pg_conn_live.c)
target_link_libraries(sc_test_pg PUBLIC sc_flags sc_pg sc_loop sc_common PkgConfig::CMOCKA)

add_library(sc_test_claims STATIC
    ${CMAKE_CURRENT_LIST_DIR}/pg_claims_live.c ${CMAKE_CURRENT_LIST_DIR}/pg_outcomes_live.c)
target_compile_definitions(sc_test_claims PUBLIC SENDCODE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(sc_test_claims PUBLIC sc_test_pg sc_worker_pg)

foreach(name pg_conn_test pg_conn_loss_test pg_sync_test
        pg_claims_test pg_claims_faults_test pg_outcomes_test pg_outcomes_faults_test
        pg_outage_test pg_parked_test)
    add_executable(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c)
    target_link_libraries(${name} PRIVATE sc_test_claims)
    sc_integration_test(${name} SERVERS postgres COMMAND $<TARGET_FILE:${name}>)
endforeach()

add_executable(pg_restart_test ${CMAKE_CURRENT_LIST_DIR}/pg_restart_test.c)
target_link_libraries(pg_restart_test PRIVATE sc_test_claims)
sc_integration_test(pg_restart_test
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/pg_restart_test.sh $<TARGET_FILE:pg_restart_test>)

foreach(name pg_schema_test pg_settling_test)
    add_executable(${name}
        ${CMAKE_CURRENT_LIST_DIR}/${name}.c ${CMAKE_CURRENT_LIST_DIR}/pg_schema_live.c)
    add_dependencies(${name} sendcodectl)
    target_link_libraries(${name} PRIVATE sc_test_claims)
    sc_integration_test(${name} SERVERS postgres COMMAND $<TARGET_FILE:${name}>)
endforeach()

add_executable(pg_receipts_test ${CMAKE_CURRENT_LIST_DIR}/pg_receipts_test.c)
add_dependencies(pg_receipts_test sendcodectl)
target_link_libraries(pg_receipts_test PRIVATE sc_test_pg sc_worker_pg)
sc_integration_test(pg_receipts_test SERVERS postgres COMMAND $<TARGET_FILE:pg_receipts_test>)
