/* A receipt, column by column. */
#include "common/pg/pg_receipt.h"

#include "common/domain/receipt.h"

void pg_receipt_add(struct pg_array *columns, const struct receipt *r)
{
    pg_array_add_text(&columns[PG_RECEIPT_SERIAL_NO], r->serial_no);
    pg_array_add_text(&columns[PG_RECEIPT_PHONE], r->phone);
    pg_array_add_text(&columns[PG_RECEIPT_STATUS], r->status);
    pg_array_add_text(&columns[PG_RECEIPT_CODE], r->code);
    pg_array_add_text(&columns[PG_RECEIPT_DESCRIPTION], r->description);
    if (r->user_received_us > 0)
        pg_array_add_time(&columns[PG_RECEIPT_USER_RECEIVED_AT], r->user_received_us);
    else
        pg_array_add_null(&columns[PG_RECEIPT_USER_RECEIVED_AT]);
    if (r->raw_len > 0)
        pg_array_add_bytes(&columns[PG_RECEIPT_RAW], r->raw, r->raw_len);
    else
        pg_array_add_text(&columns[PG_RECEIPT_RAW], r->raw);
    pg_array_add_text(&columns[PG_RECEIPT_FAULT], r->fault);
}
