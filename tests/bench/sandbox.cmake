# Answers a second of the sandbox: scripts/bench and people run it, ctest does not.
add_executable(sandbox_load ${CMAKE_CURRENT_LIST_DIR}/sandbox_load.c)
target_link_libraries(sandbox_load PRIVATE sc_flags sc_common sc_crypto)
