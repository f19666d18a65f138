if(COMMAND sc_fuzz_target)
    foreach(name provider_answer provider_receipts provider_records)
        sc_fuzz_target(${name}
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c
            LIBS sc_worker_tencent)
    endforeach()
endif()
