# Callbacks from the sandbox through the receiver to jobs that workers send meanwhile, and the
# timeline of one job to which everything happens.
sc_integration_test(receipts.storm SERVERS postgres kafka TIMEOUT 240
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/receipts/test_storm.py)
sc_integration_test(receipts.story SERVERS postgres kafka
    COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/receipts/test_story.py)
