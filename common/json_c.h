/* json-c's headers under names that leave json_type and json_bool to common/json.h. */
#ifndef SENDCODE_COMMON_JSON_C_H
#define SENDCODE_COMMON_JSON_C_H

#define json_type json_c_type
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_type
#undef json_bool

#endif
