# The worker as a program, between the real Kafka, the real PostgreSQL and the sandbox.
foreach(subject main_job bad_input breakage topics keys doubt rate)
    sc_integration_test(worker.${subject} SERVERS postgres kafka TIMEOUT 400
        COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_${subject}.py)
endforeach()

# Outages that need servers of their own, which they break.
sc_integration_test(worker.outage_postgres LABEL chaos SERVERS kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_postgres.py)
sc_integration_test(worker.outage_kafka LABEL chaos SERVERS postgres TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_kafka.py)
sc_integration_test(worker.outage_provider SERVERS postgres kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_provider.py)
sc_integration_test(worker.outage_process LABEL chaos SERVERS postgres kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_process.py)
sc_integration_test(worker.outage_database LABEL chaos SERVERS postgres kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/worker/test_outage_database.py)
