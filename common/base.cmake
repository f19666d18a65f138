# Plain C of ours, and the loop with its HTTP server and POST on libevent.
add_library(sc_common STATIC
    base.c err.c mem.c arena.c buf.c clock.c networks.c text.c text_time.c log.c metrics.c backoff.c
    streams.c window.c)
target_link_libraries(sc_common PUBLIC sc_flags)

# Apart from sc_common, because tests/replay links another loop in its place.
add_library(sc_loop STATIC loop.c httpd.c httpd_request.c httpd_tls.c http_post.c)
target_link_libraries(sc_loop PUBLIC sc_flags sc_common PRIVATE PkgConfig::EVENT PkgConfig::SSL
    PkgConfig::CRYPTO)
