# Publishes jobs for scripts/bench.
add_executable(bench_load ${CMAKE_CURRENT_LIST_DIR}/load.c)
target_link_libraries(bench_load PRIVATE sc_flags sc_common PkgConfig::RDKAFKA)
