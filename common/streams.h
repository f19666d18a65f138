/* Standard input, output and error, where the caller closed one of them. */
#ifndef SENDCODE_COMMON_STREAMS_H
#define SENDCODE_COMMON_STREAMS_H

/*
 * Opens what is closed so that its use fails. First in main: else the next file or connection gets
 * the number, and what is printed or logged goes there.
 */
void streams_open_missing(void);

#endif
