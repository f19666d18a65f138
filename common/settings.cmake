add_library(sc_settings STATIC
    settings/daemon.c settings/ini.c settings/settings.c settings/settings_check.c settings/settings_doc.c
    settings/settings_dsn.c settings/settings_dump.c settings/settings_env.c settings/settings_file.c
    settings/settings_kafka.c settings/settings_manual.c settings/settings_needs.c settings/settings_reload.c
    settings/settings_sample.c settings/settings_scenes.c
    settings/settings_secrets.c settings/settings_table.c settings/settings_types.c)
target_link_libraries(sc_settings PUBLIC sc_flags sc_common sc_phone sc_crypto)
