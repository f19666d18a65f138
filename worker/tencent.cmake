# Tencent Cloud SMS as the sender: curl, signatures, and the reading of its answers.
add_library(sc_worker_tencent STATIC
    tencent/account_queries.c
    tencent/answer.c
    tencent/conversion_report.c
    tencent/envelope.c
    tencent/http_client.c
    tencent/http_client_multi.c
    tencent/provider_clock.c
    tencent/receipts_page.c
    tencent/receipts_query.c
    tencent/records_page.c
    tencent/records_query.c
    tencent/signed_client.c
    tencent/tencent_sms.c)
target_link_libraries(sc_worker_tencent
    PUBLIC sc_flags sc_worker_ports sc_common sc_loop sc_json sc_crypto sc_domain
    PRIVATE PkgConfig::CURL)
