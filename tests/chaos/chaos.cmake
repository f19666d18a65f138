# The checker of scripts/chaos, tried with bad histories; and three minutes of it, which has servers of
# its own.
sc_integration_test(chaos_checker TIMEOUT 60
    COMMAND python3 -B ${CMAKE_CURRENT_LIST_DIR}/test_checker.py)
sc_integration_test(three_minutes LABEL chaos TIMEOUT 900
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/chaos --seed 4 --minutes 3)
