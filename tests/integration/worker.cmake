# The worker as a program, between the real Kafka, the real PostgreSQL and the sandbox.
foreach(subject main_job bad_input breakage topics keys doubt rate receipts)
    sc_integration_test(worker.${subject} SERVERS postgres kafka TIMEOUT 400
        COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_${subject}.py)
endforeach()

# Outages. Those that take long, or servers of their own, run in one preset only.
sc_integration_test(worker.outage_provider SERVERS postgres kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_provider.py)
foreach(subject group process database)
    sc_integration_test(worker.outage_${subject} LABEL chaos SERVERS postgres kafka TIMEOUT 400
        COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_${subject}.py)
endforeach()
sc_integration_test(worker.outage_postgres LABEL chaos SERVERS kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_postgres.py)
sc_integration_test(worker.outage_kafka LABEL chaos SERVERS postgres TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_kafka.py)
