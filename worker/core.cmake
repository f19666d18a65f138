# What the ports themselves say: texts that the core and the adapters share.
add_library(sc_worker_ports STATIC outcome.c)
target_link_libraries(sc_worker_ports PUBLIC sc_flags)

# The worker's own logic: no third-party headers, ports instead of adapters.
add_library(sc_worker_core STATIC
    announcing.c chores.c claiming.c conversions.c flight.c health.c held.c intake.c joblog.c meters.c offsets.c
    ownership.c parked.c pipeline.c pipeline_wiring.c rate_cap.c receipt_fetch.c receipts.c
    recording.c sending.c settings_use.c settling.c stops.c)
target_link_libraries(sc_worker_core
    PUBLIC sc_flags sc_worker_ports
    PRIVATE sc_common sc_domain sc_settings sc_crypto sc_provider_verdict)
