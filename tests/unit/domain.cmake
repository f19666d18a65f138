# Phones, jobs, states, events.
set(dir ${CMAKE_CURRENT_LIST_DIR})
sc_unit_test(phone_test SOURCES ${dir}/domain/phone_test.c LIBS sc_phone)
sc_unit_test(job_state_test SOURCES ${dir}/domain/job_state_test.c LIBS sc_domain)
sc_unit_test(job_status_test SOURCES ${dir}/domain/job_status_test.c LIBS sc_domain sc_json)
sc_unit_test(job_test SOURCES ${dir}/domain/job_test.c ${dir}/vectors.c LIBS sc_domain sc_json)
if(TARGET job_test)
    target_compile_definitions(job_test PRIVATE SENDCODE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
