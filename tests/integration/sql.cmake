# The schema, asked as workers and verifiers ask it: one Python file a subject, a database each. Not
# again under the sanitizers: nothing of ours that is compiled takes part.
if(NOT SENDCODE_SANITIZE)
    foreach(subject claim limits limits_properties reclaim resend record verify sweep settle
            odd_records parked rate_share rights views receipts receipts_doubts asked_receipts
            conversions record_told record_kept soak settle_soak)
        sc_integration_test(sql_${subject} SERVERS postgres
            COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/sql/test_${subject}.py)
    endforeach()
    sc_integration_test(sql_verify_model SERVERS postgres TIMEOUT 400
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/sql/test_verify_model.py)
endif()
