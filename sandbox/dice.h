/*
 * Everything random that the sandbox says: serial numbers, request ids, probabilities. The same
 * seed gives the same sequence.
 */
#ifndef SENDCODE_SANDBOX_DICE_H
#define SENDCODE_SANDBOX_DICE_H

#include "common/base.h"

#define SERIAL_NO_SIZE 40
#define REQUEST_ID_SIZE 37

struct dice {
    uint64_t state;
};

void dice_init(struct dice *d, uint64_t seed);
double dice_unit(struct dice *d); /* from 0 to below 1 */
void dice_serial_no(struct dice *d, char out[SERIAL_NO_SIZE]);
void dice_request_id(struct dice *d, char out[REQUEST_ID_SIZE]);

#endif
