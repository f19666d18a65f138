# sendcode-receiver with the real PostgreSQL, and behind the real nginx as the example has it.
foreach(subject receiver nginx)
    sc_integration_test(receiver.${subject} SERVERS postgres
        COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/receiver/test_${subject}.py)
endforeach()
