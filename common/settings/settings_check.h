/* What a single value of the configuration may look like: each answers NULL, or what was expected.
 */
#ifndef SENDCODE_COMMON_SETTINGS_SETTINGS_CHECK_H
#define SENDCODE_COMMON_SETTINGS_SETTINGS_CHECK_H

#include "common/base.h"

const char *check_endpoint(const char *value); /* http only to loopback hosts */
const char *check_listen(const char *value);   /* numeric address and port */
const char *check_networks(const char *value); /* IPv4 and IPv6, with commas between */
const char *check_dsn(const char *value);      /* a light look, and no password in it */
const char *check_topic(const char *value);
const char *check_identifier(const char *value); /* of Tencent's: application, template, region */
const char *check_sign_name(const char *value);
const char *check_worker_name(const char *value);
const char *check_log_level(const char *value);
const char *check_path(const char *value);

bool check_is_scene_name(const char *s, size_t len);
bool check_is_locale(const char *s, size_t len);

/* A property of librdkafka whose value is a secret, or may hold one: passwords, keys, *.pem. */
bool check_is_secret_property(const char *name);

#endif
