sc_fuzz_target(receipt_callback
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/receipt_callback.c LIBS sc_receiver sc_phone)
