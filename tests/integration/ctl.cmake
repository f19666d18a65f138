sc_integration_test(sendcodectl SERVERS postgres kafka
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/ctl_test.py)
sc_integration_test(sendcodectl.record SERVERS postgres kafka
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/ctl_record_test.py)
sc_integration_test(worker.replay SERVERS postgres kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_replay.py)
