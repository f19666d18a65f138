# The protocol as a Promela model, searched by spin. It says nothing of a build, so one does it.
if(PROJECT_BINARY_DIR STREQUAL "${PROJECT_SOURCE_DIR}/build/release")
    add_test(NAME model.protocol
        COMMAND ${CMAKE_CURRENT_LIST_DIR}/check.sh ${PROJECT_BINARY_DIR}/model)
    set_tests_properties(model.protocol PROPERTIES LABELS model TIMEOUT 600 COST 600)
endif()
