/* SPDX-License-Identifier: Apache-2.0 */
/* my_packet: see my_packet.h. */
#include "my_packet.h"

#include <stdio.h>

bool
my_greeting_read(struct span payload, struct my_greeting *g)
{
	struct bytes b = bytes_of(payload);
	unsigned nonce;

	*g = (struct my_greeting){ 0 };
	if (bytes_u8(&b) != 10)
		return false;
	g->version = bytes_cstr(&b);
	g->connection_id = bytes_le32(&b);
	bytes_skip(&b, 8 + 1);		/* first part of the nonce, filler */
	g->caps_low = payload.n - bytes_left(&b);
	g->caps = bytes_le16(&b);
	bytes_skip(&b, 1 + 2);		/* collation, status */
	g->caps_high = payload.n - bytes_left(&b);
	g->caps |= (uint32_t)bytes_le16(&b) << 16;
	nonce = bytes_u8(&b);
	bytes_skip(&b, 6);
	g->ext = bytes_le32(&b);
	if (g->caps & MY_CAP_MYSQL)
		g->ext = 0;
	if (b.bad)
		return false;
	bytes_skip(&b, nonce > 8 + 13 ? nonce - 8u : 13);
	if (g->caps & MY_CAP_PLUGIN_AUTH)
		g->plugin = bytes_cstr(&b);
	return true;
}

bool
my_response_read(struct span payload, uint32_t server_caps, struct my_response *r)
{
	struct bytes b = bytes_of(payload);
	uint32_t common;

	*r = (struct my_response){ .caps = bytes_le32(&b) };
	common = r->caps & server_caps;
	bytes_skip(&b, 4);		/* longest packet */
	r->collation = bytes_u8(&b);
	bytes_skip(&b, 19);
	r->ext = bytes_le32(&b);
	if (r->caps & MY_CAP_MYSQL)
		r->ext = 0;
	r->user = bytes_cstr(&b);
	if (common & MY_CAP_LENENC_AUTH)
		bytes_lenenc_span(&b);
	else if (common & MY_CAP_SECURE_CONNECTION)
		bytes_skip(&b, bytes_u8(&b));
	else
		bytes_cstr(&b);
	if (common & MY_CAP_CONNECT_WITH_DB)
		r->database = bytes_cstr(&b);
	if (common & MY_CAP_PLUGIN_AUTH)
		r->plugin = bytes_cstr(&b);
	if (common & MY_CAP_CONNECT_ATTRS)
		r->attributes = bytes_lenenc_span(&b);
	return !b.bad;
}

struct span
my_charset_name(uint16_t collation)
{
	static const struct {
		uint16_t from, to;
		const char *name;
	} sets[] = {
		{ 1, 1, "big5" }, { 5, 5, "latin1" }, { 8, 8, "latin1" }, { 11, 11, "ascii" }, { 12, 12, "ujis" }, { 13, 13, "sjis" }, { 15, 15, "latin1" },
		{ 19, 19, "euckr" }, { 24, 24, "gb2312" }, { 28, 28, "gbk" }, { 31, 31, "latin1" }, { 33, 33, "utf8mb3" }, { 45, 46, "utf8mb4" },
		{ 47, 49, "latin1" }, { 63, 63, "binary" }, { 65, 65, "ascii" }, { 83, 83, "utf8mb3" }, { 84, 84, "big5" }, { 85, 85, "euckr" },
		{ 86, 86, "gb2312" }, { 87, 87, "gbk" }, { 88, 88, "sjis" }, { 91, 91, "ujis" }, { 94, 94, "latin1" }, { 95, 96, "cp932" },
		{ 97, 98, "eucjpms" }, { 192, 215, "utf8mb3" }, { 224, 247, "utf8mb4" }, { 248, 250, "gb18030" }, { 255, 255, "utf8mb4" },
	};

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		if (collation >= sets[i].from && collation <= sets[i].to)
			return span_str(sets[i].name);
	return (struct span){ NULL, 0 };
}

bool
my_attribute_next(struct bytes *b, struct span *name, struct span *value)
{
	if (!bytes_left(b))
		return false;
	*name = bytes_lenenc_span(b);
	*value = bytes_lenenc_span(b);
	return !b->bad;
}

bool
my_ok_read(struct span payload, struct my_dialect d, struct my_ok *ok)
{
	struct bytes b = bytes_of(payload);

	bytes_skip(&b, 1);
	ok->affected = bytes_lenenc(&b);
	ok->insert_id = bytes_lenenc(&b);
	ok->status = bytes_le16(&b);
	bytes_skip(&b, 2);		/* warnings */
	ok->changes = (struct span){ NULL, 0 };
	if (b.bad)
		return false;
	/* MariaDB sets the flag for clients without the capability too, and then sends no block. */
	if (d.caps & MY_CAP_SESSION_TRACK && ok->status & MY_STATUS_SESSION_CHANGED) {
		bytes_lenenc_span(&b);	/* info */
		ok->changes = bytes_lenenc_span(&b);
	}
	return true;
}

bool
my_end_read(struct span payload, struct my_dialect d, struct my_ok *ok)
{
	if (payload.n != 5)
		return my_ok_read(payload, d, ok);
	*ok = (struct my_ok){ .status = load_le16(payload.p + 3) };
	return true;
}

bool
my_err_read(struct span payload, char code[8])
{
	if (payload.n < 3)
		return false;
	snprintf(code, 8, "%u", (unsigned)load_le16(payload.p + 1));
	return true;
}

bool
my_is_progress(struct span payload, struct my_dialect d)
{
	if (!(d.ext & MY_EXT_PROGRESS || d.caps & MY_CAP_PROGRESS_OBSOLETE))
		return false;
	return payload.n >= 3 && payload.p[0] == MY_ERR && load_le16(payload.p + 1) == 0xffff;
}

void
my_err_write(struct strbuf *out, uint8_t seq, unsigned number, const char *sqlstate, const char *message)
{
	size_t n = 3 + (sqlstate ? 6 : 0) + strlen(message);
	uint8_t head[7] = { (uint8_t)n, (uint8_t)(n >> 8), 0, seq, MY_ERR, (uint8_t)number, (uint8_t)(number >> 8) };

	strbuf_add(out, span_of(head, sizeof head));
	if (sqlstate)
		strbuf_printf(out, "#%.5s", sqlstate);
	strbuf_str(out, message);
}
