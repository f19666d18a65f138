# PostgreSQL, evented and blocking.
add_library(sc_pg STATIC pg/pg.c pg/pg_array.c pg/pg_error.c pg/pg_hosts.c pg/pg_query.c pg/pg_receipt.c
    pg/pg_result.c pg/pg_session.c pg/pg_sync.c)
target_link_libraries(sc_pg PUBLIC sc_flags sc_common sc_loop PRIVATE PkgConfig::PQ)
