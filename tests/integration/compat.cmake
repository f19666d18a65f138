# The version before beside this one; it is built for this, so it is tried in one preset only.
sc_integration_test(compat LABEL chaos SERVERS postgres kafka TIMEOUT 400
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/compat/test_upgrade.py)
