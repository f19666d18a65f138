# The Kafka adapters on a real Apache Kafka, each test with topics of its own.
add_executable(kafka_live_test
    ${CMAKE_CURRENT_LIST_DIR}/kafka_live_test.c
    ${PROJECT_SOURCE_DIR}/tests/unit/kafka_rig.c ${PROJECT_SOURCE_DIR}/tests/unit/kafka_taker.c
    ${PROJECT_SOURCE_DIR}/tests/unit/kafka_poster.c)
target_link_libraries(kafka_live_test PRIVATE sc_flags
    sc_worker_kafka sc_kafka sc_settings sc_domain sc_json sc_loop sc_common PkgConfig::CMOCKA)
sc_integration_test(kafka_live_test SERVERS kafka COMMAND $<TARGET_FILE:kafka_live_test>)
