# The worker's sender against the real sendcode-sandbox.
add_executable(records_ask ${CMAKE_CURRENT_LIST_DIR}/tencent/records_ask.c)
target_link_libraries(records_ask PRIVATE sc_flags sc_worker_tencent)
add_dependencies(records_ask sendcode-sandbox)
sc_integration_test(tencent_records
    COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/tencent/records_ask_test.py
            $<TARGET_FILE:records_ask>)
