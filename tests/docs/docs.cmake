# The documents: what they say is held against the tree, and their commands are run.
sc_unit_test(settings_manual_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/settings_manual_test.c
    LIBS sc_settings)

foreach(name text man)
    sc_integration_test(docs.${name}
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/${name}_test.py)
endforeach()

# Not again under the sanitizers: nothing of ours that is compiled takes part.
if(NOT SENDCODE_SANITIZE)
    sc_integration_test(docs.verify SERVERS postgres clients TIMEOUT 400
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/verify_test.py)
endif()

# As typed by a reader: with the demo, and the package, of build/release.
if(PROJECT_BINARY_DIR STREQUAL "${PROJECT_SOURCE_DIR}/build/release")
    sc_integration_test(docs.commands SERVERS clients TIMEOUT 400
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/commands_test.py)
    sc_integration_test(docs.package
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/package_test.py)
    set_tests_properties(integration.docs.commands integration.docs.package PROPERTIES
        RESOURCE_LOCK demo)
endif()
