# What every program stands on: texts, memory, logs, metrics, the loop and the HTTP server.
set(here ${CMAKE_CURRENT_LIST_DIR}/common)
sc_unit_test(text_test SOURCES ${here}/test_text.c LIBS sc_common)
sc_unit_test(text_time_test SOURCES ${here}/test_text_time.c LIBS sc_common)
sc_unit_test(memory_test SOURCES ${here}/test_memory.c LIBS sc_common)
sc_unit_test(log_test SOURCES ${here}/test_log.c LIBS sc_common)
sc_unit_test(metrics_test SOURCES ${here}/test_metrics.c LIBS sc_common)
sc_unit_test(streams_test SOURCES ${here}/test_streams.c LIBS sc_common)
sc_unit_test(networks_test SOURCES ${here}/test_networks.c LIBS sc_common)
sc_unit_test(loop_test SOURCES ${here}/test_loop.c LIBS sc_loop)
sc_unit_test(httpd_test SOURCES ${here}/test_httpd.c ${here}/http_client.c LIBS sc_loop)
sc_unit_test(httpd_listen_test SOURCES ${here}/test_httpd_listen.c ${here}/http_client.c
    LIBS sc_loop PkgConfig::SSL PkgConfig::CRYPTO)
