# What comes to the sandbox from outside: faults, signatures, parameters.
if(COMMAND sc_fuzz_target)
    foreach(name sandbox_fault sandbox_call sandbox_auth)
        sc_fuzz_target(${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c LIBS sc_sandbox)
    endforeach()
endif()
