# Adapters on librdkafka: the jobs topic in, events and dead letters out.
add_library(sc_worker_kafka STATIC
    kafka/kafka_health.c kafka/kafka_in.c kafka/kafka_in_rebalance.c kafka/kafka_in_records.c
    kafka/kafka_log.c kafka/kafka_message.c kafka/kafka_out.c kafka/kafka_out_client.c
    kafka/kafka_queue.c kafka/kafka_stats.c)
target_link_libraries(sc_worker_kafka PUBLIC sc_flags
    PRIVATE sc_kafka sc_settings sc_domain sc_json sc_loop sc_common)
