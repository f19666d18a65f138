# What of PostgreSQL's client needs no server; the rest is in tests/integration/pg.cmake.
sc_unit_test(pg_array_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/pg_array_test.c LIBS sc_pg)
sc_unit_test(pg_batch_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/pg_batch_test.c LIBS sc_worker_pg)
sc_unit_test(pg_hosts_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/pg_hosts_test.c LIBS sc_pg)
