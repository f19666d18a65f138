sc_integration_test(sendcodectl SERVERS postgres kafka
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/ctl_test.py)
