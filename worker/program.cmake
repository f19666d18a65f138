# sendcode-worker: the core and its adapters put together.
add_executable(sendcode-worker admin.c app.c main.c)
target_compile_definitions(sendcode-worker PRIVATE SENDCODE_VERSION="${PROJECT_VERSION}")
target_link_libraries(sendcode-worker PRIVATE
    sc_flags sc_worker_core sc_worker_kafka sc_worker_pg sc_worker_tencent
    sc_kafka sc_settings sc_loop sc_common)
set_target_properties(sendcode-worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
