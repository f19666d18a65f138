# SHA-256, HMAC, random bytes; codes and digests; Tencent's signature.
add_library(sc_crypto STATIC crypto/crypto.c crypto/code.c crypto/tc3.c)
target_link_libraries(sc_crypto PUBLIC sc_flags sc_common PRIVATE PkgConfig::CRYPTO)
