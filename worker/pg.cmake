# The ports claims and outcomes on PostgreSQL.
add_library(sc_worker_pg STATIC
    pg/pg_batch.c pg/pg_chores.c pg/pg_claims.c pg/pg_outcomes.c pg/pg_parked.c pg/pg_receipts.c pg/pg_record.c
    pg/pg_status.c pg/pg_worker_session.c)
target_link_libraries(sc_worker_pg PUBLIC sc_flags sc_worker_ports sc_domain sc_pg sc_crypto sc_loop sc_common)
