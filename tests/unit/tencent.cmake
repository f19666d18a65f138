# The sender: its answers' reader, its HTTP client, and the whole against a server with faults.
sc_unit_test(tencent_sms_test
    SOURCES
        ${CMAKE_CURRENT_LIST_DIR}/sms_fixture.c
        ${CMAKE_CURRENT_LIST_DIR}/tencent_sms_test.c
        ${CMAKE_CURRENT_LIST_DIR}/tiny_server.c
    LIBS sc_worker_tencent)
