# Scenarios on simulated time: the worker's core between fake ports and a fake loop.
add_executable(sendcode-replay
    replay/acts.c replay/acts_around.c replay/acts_parked.c replay/acts_receipts.c replay/expects.c
    replay/fake_loop.c replay/fake_receipts.c replay/fakes.c replay/replay.c)
target_link_libraries(sendcode-replay PRIVATE
    sc_flags sc_worker_core sc_provider_verdict sc_settings sc_domain sc_crypto sc_json sc_common)
file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/replay/scenarios/*.replay)
foreach(scenario ${scenarios})
    get_filename_component(name ${scenario} NAME_WE)
    add_test(NAME replay.${name}
        COMMAND sendcode-replay ${CMAKE_CURRENT_SOURCE_DIR}/replay/replay.conf ${scenario})
    set_tests_properties(replay.${name} PROPERTIES LABELS replay TIMEOUT 30)
endforeach()

# A random walk with a model of everything around the worker; seeded, so that it can be repeated.
add_executable(sendcode-storm
    replay/fake_loop.c replay/storm/calm.c replay/storm/database.c replay/storm/database_ports.c replay/storm/kafka.c
    replay/storm/nodes.c replay/storm/parked.c replay/storm/provider.c
    replay/storm/storm.c)
target_link_libraries(sendcode-storm PRIVATE
    sc_flags sc_worker_core sc_provider_verdict sc_settings sc_domain sc_crypto sc_json sc_common)
add_test(NAME replay.storm
    COMMAND sendcode-storm ${CMAKE_CURRENT_SOURCE_DIR}/replay/replay.conf 1 60 5000)
set_tests_properties(replay.storm PROPERTIES LABELS replay TIMEOUT 120)
