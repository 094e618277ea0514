/* SPDX-License-Identifier: Apache-2.0 */
/* url_tls: what the parameters of database URLs say about TLS, in the words of libpq, pgjdbc, Connector/J and the scripting drivers.
 * Does: read one parameter, and name the text that asks for nothing on a plain leg. Never: sees more of the URL. */
#ifndef ROWCALL_URL_TLS_H
#define ROWCALL_URL_TLS_H

#include "url.h"

struct url_tls_param {
	bool said;		/* it names a mode: tls */
	bool demanded;		/* a client would refuse a plain connection */
	enum wire_tls tls;
	bool changed;		/* it cannot stay as it is on a plain leg: */
	const char *plain;	/* the value it gets there; NULL = it is dropped */
};

/* name and value as they stand in the URL. */
struct url_tls_param url_tls_read(enum engine_kind engine, struct span name, struct span value);

#endif
