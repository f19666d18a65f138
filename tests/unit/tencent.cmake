# The sender: its answers' reader, its HTTP client, and the whole against a server with faults.
sc_unit_test(tencent_sms_test
    SOURCES
        ${CMAKE_CURRENT_LIST_DIR}/sms_fixture.c
        ${CMAKE_CURRENT_LIST_DIR}/tencent_sms_test.c
        ${CMAKE_CURRENT_LIST_DIR}/tiny_server.c
    LIBS sc_worker_tencent)
sc_unit_test(tencent_requests_test
    SOURCES
        ${CMAKE_CURRENT_LIST_DIR}/sms_fixture.c
        ${CMAKE_CURRENT_LIST_DIR}/tencent_requests_test.c
        ${CMAKE_CURRENT_LIST_DIR}/tiny_server.c
    LIBS sc_worker_tencent)
sc_unit_test(answer_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/answer_test.c LIBS sc_worker_tencent)
sc_unit_test(conversion_report_test
    SOURCES
        ${CMAKE_CURRENT_LIST_DIR}/client_rig.c
        ${CMAKE_CURRENT_LIST_DIR}/conversion_report_test.c
        ${CMAKE_CURRENT_LIST_DIR}/tiny_server.c
    LIBS sc_worker_tencent)
sc_unit_test(receipts_page_test
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/receipts_page_test.c
    LIBS sc_worker_tencent)
sc_unit_test(receipts_query_test
    SOURCES
        ${CMAKE_CURRENT_LIST_DIR}/client_rig.c
        ${CMAKE_CURRENT_LIST_DIR}/receipts_query_test.c
        ${CMAKE_CURRENT_LIST_DIR}/tiny_server.c
    LIBS sc_worker_tencent)
sc_unit_test(records_page_test
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/records_page_test.c
    LIBS sc_worker_tencent)
foreach(name records_query_test records_doubt_test)
    sc_unit_test(${name}
        SOURCES
            ${CMAKE_CURRENT_LIST_DIR}/${name}.c
            ${CMAKE_CURRENT_LIST_DIR}/client_rig.c
            ${CMAKE_CURRENT_LIST_DIR}/records_rig.c
            ${CMAKE_CURRENT_LIST_DIR}/tiny_server.c
        LIBS sc_worker_tencent)
endforeach()
sc_unit_test(provider_clock_test
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/provider_clock_test.c
    LIBS sc_worker_tencent)
sc_unit_test(http_client_test
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/http_client_test.c
    LIBS sc_worker_tencent)
if(TARGET http_client_test)
    target_compile_definitions(http_client_test PRIVATE SENDCODE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
