# Kafka configurations, and the adapters against librdkafka's mock cluster.
set(kafka_libs sc_worker_kafka sc_kafka sc_settings sc_domain sc_json sc_loop sc_common)
sc_unit_test(kafka_conf_test SOURCES unit/kafka_conf_test.c LIBS sc_kafka sc_settings sc_common)
sc_unit_test(kafka_health_test SOURCES unit/kafka_health_test.c LIBS ${kafka_libs})
foreach(name in group)
    sc_unit_test(kafka_${name}_test
        SOURCES unit/kafka_${name}_test.c unit/kafka_rig.c unit/kafka_taker.c LIBS ${kafka_libs})
endforeach()
foreach(name out letter)
    sc_unit_test(kafka_${name}_test
        SOURCES unit/kafka_${name}_test.c unit/kafka_rig.c unit/kafka_poster.c LIBS ${kafka_libs})
endforeach()
# The mock cluster lets each new group wait for 3 s, and each rebalance for the session time-out.
if(NOT SENDCODE_FUZZ)
    set_tests_properties(unit.kafka_in_test unit.kafka_group_test PROPERTIES TIMEOUT 300)
endif()
