/* SPDX-License-Identifier: Apache-2.0 */
/* log: one line per event on stderr, text or JSON, from any thread.
 * Does: filter by level, prefix, escape control characters. Never: SQL values, passwords or authentication data; blocks on more than one write. */
#ifndef ROWCALL_LOG_H
#define ROWCALL_LOG_H

#include "config.h"

struct log;
/* fd borrowed. */
struct log *log_new(int fd, enum log_level level, bool json) __attribute__((returns_nonnull));
void log_free(struct log *l);
/* session: id shown with the line, 0 = none. */
void log_line(struct log *l, enum log_level level, uint32_t session, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool log_wants(const struct log *l, enum log_level level);

#define log_error(l, s, ...) log_line(l, LOG_ERROR, s, __VA_ARGS__)
#define log_warn(l, s, ...) log_line(l, LOG_WARN, s, __VA_ARGS__)
#define log_info(l, s, ...) log_line(l, LOG_INFO, s, __VA_ARGS__)
#define log_debug(l, s, ...) do { if (log_wants(l, LOG_DEBUG)) log_line(l, LOG_DEBUG, s, __VA_ARGS__); } while (0)

#endif
