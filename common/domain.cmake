# sc_phone is apart, because the settings know country codes and jobs know settings.
add_library(sc_phone STATIC domain/phone.c)
target_link_libraries(sc_phone PUBLIC sc_flags)

add_library(sc_domain STATIC domain/job.c domain/job_state.c domain/job_status.c)
target_link_libraries(sc_domain PUBLIC sc_flags sc_common sc_phone sc_settings sc_json)
