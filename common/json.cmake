add_library(sc_json STATIC json.c json_build.c json_scan.c)
target_link_libraries(sc_json PUBLIC sc_flags sc_common PRIVATE PkgConfig::JSONC)
