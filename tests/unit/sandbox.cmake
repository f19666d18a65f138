# The sandbox's own rules: numbers, signatures, faults, limits.
foreach(name number auth fault store)
    sc_unit_test(sandbox_${name}_test
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/sandbox/test_${name}.c LIBS sc_sandbox)
endforeach()
