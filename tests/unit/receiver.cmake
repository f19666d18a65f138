# The receiver's own logic: what a callback says, and who may call.
foreach(name callback doorman)
    sc_unit_test(receiver_${name}_test
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/receiver/${name}_test.c LIBS sc_receiver)
endforeach()
