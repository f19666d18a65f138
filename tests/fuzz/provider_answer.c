/* Any bytes as the provider's answer: what is taken from them keeps to the patterns we know. */
#include <stdlib.h>

#include "tests/fuzz/check_text.h"
#include "worker/ports/sender.h"
#include "worker/tencent/answer.h"
#include "worker/tencent/conversion_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct send_result r = {0};
    char code[96], why[160] = "";

    answer_read_send((const char *)data, size, "+8613800138000", &r);
    if (!is_printable(r.code) || !is_printable(r.serial_no) || !is_printable(r.request_id) ||
        !is_printable(r.why))
        abort();
    if (r.accepted && (r.transport != SEND_ANSWERED || !r.serial_no[0]))
        abort();
    if ((r.transport == SEND_ANSWERED) != (r.code[0] != '\0'))
        abort();
    if (!answer_read_query((const char *)data, size, code, why) && !why[0])
        abort();
    why[0] = '\0';
    if (conversion_answer_read((const char *)data, size, why) != CONVERSION_REPORTED &&
        (!why[0] || !is_printable(why)))
        abort();
    return 0;
}
