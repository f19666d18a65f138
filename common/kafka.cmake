# librdkafka configurations from our settings.
add_library(sc_kafka STATIC kafka/kafka_conf.c)
target_link_libraries(sc_kafka PUBLIC sc_flags PkgConfig::RDKAFKA PRIVATE sc_settings sc_common)
