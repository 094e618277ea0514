/* SPDX-License-Identifier: Apache-2.0 */
/* pg_startup: the part of a PostgreSQL session that may be edited: TLS and GSS requests, the StartupMessage or CancelRequest, the
 * channel-binding offer. Never: answers for the server otherwise, reads a password, or lets a byte slip in behind a TLS request.
 *
 * The client's first packet (StartupMessage or CancelRequest) is copied, the server leg is dialled and secured, and the packet goes out as
 * it came. Steps are in the order of enum step; a client's TLS request can make the server leg come first. */
#include "fingerprint/mem.h"
#include "pg_conn.h"

enum {
	CODE_CANCEL = 1234 << 16 | 5678,
	CODE_SSL = 1234 << 16 | 5679,
	CODE_GSS = 1234 << 16 | 5680,
	MAX_CANCEL = 12 + 256,		/* a key of protocol 3.2 */
	TLS_HANDSHAKE = 0x16,		/* first byte of a ClientHello; no startup packet begins with it */
	LONGEST_OFFER = 30000,		/* what libpq believes of such a message */
};

enum step {
	STEP_CLIENT,		/* waiting for the client's next packet */
	STEP_CLIENT_TLS,	/* the client leg is in its TLS handshake */
	STEP_DIAL,		/* waiting for dialed() */
	STEP_SERVER,		/* the server leg is there */
	STEP_SERVER_ANSWER,	/* waiting for the one byte that answers our, or the client's, SSLRequest */
	STEP_SERVER_TLS,	/* the server leg is in its TLS handshake */
	STEP_OFFER,		/* waiting for the server's authentication request */
};

struct pg_handshake {
	enum step step;
	uint8_t *packet;		/* StartupMessage or CancelRequest, owned; NULL = not seen yet */
	size_t packet_n;
	uint32_t requests;		/* SSL and GSS requests answered */
	bool client_tls, server_tls;	/* the leg is encrypted */
	bool dialed;			/* the server leg exists */
	bool server_declined;		/* it answered an SSLRequest with N */
	bool client_waits;		/* its SSLRequest gets the server's answer */
	enum wire_opaque why;		/* what the session will be once editing is over */
};

static const uint8_t ssl_request[8] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };

bool
pg_handshake_open(struct wire_conn *c)
{
	c->hs = mem_zero(sizeof *c->hs);
	return c->hs != NULL;
}

void
pg_handshake_free(struct wire_conn *c)
{
	if (c->hs)
		mem_free(c->hs->packet);
	mem_free(c->hs);
	c->hs = NULL;
}

/* Editing is over. */
static enum wire_act
finish(struct wire_conn *c, uint64_t now)
{
	enum wire_opaque why = c->hs->why;

	c->two_certificates = c->hs->client_tls && c->hs->server_tls && !c->setup->same_certificate;
	pg_handshake_free(c);
	if (why == WIRE_CLEAR)
		return WIRE_PIPE;
	pg_opaque(c, why, why == WIRE_OPAQUE_LEGACY ? "not protocol 3" : "");
	pg_settle(c, now);
	return WIRE_BLIND;
}

/* ---- our own errors ---- */

static void
put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void
put_error(struct strbuf *to_client, const char *sqlstate, const char *message)
{
	uint8_t header[5] = { 'E' };
	size_t fields = 2 * sizeof "SFATAL" + strlen(sqlstate) + 2 + strlen(message) + 2;

	put_be32(header + 1, (uint32_t)(4 + fields + 1));
	strbuf_add(to_client, span_of(header, sizeof header));
	strbuf_add(to_client, span_of("SFATAL\0VFATAL", 2 * sizeof "SFATAL"));
	strbuf_char(to_client, 'C');
	strbuf_add(to_client, span_of(sqlstate, strlen(sqlstate) + 1));
	strbuf_char(to_client, 'M');
	strbuf_add(to_client, span_of(message, strlen(message) + 1));
	strbuf_char(to_client, '\0');
}

static enum wire_act
reject(struct strbuf *to_client, const char *sqlstate, const char *message)
{
	put_error(to_client, sqlstate, message);
	return WIRE_CLOSE;
}

bool
pg_refuse(struct wire_conn *c, const char *sqlstate, const char *message, struct strbuf *to_client)
{
	/* Before its StartupMessage a client expects one byte, a canceller nothing, and protocol 2 another form. */
	if (!c->hs || !c->hs->packet || c->hs->why == WIRE_OPAQUE_CANCEL || c->hs->why == WIRE_OPAQUE_LEGACY)
		return false;
	put_error(to_client, sqlstate, message);
	return true;
}

static enum wire_act
refuse_and_close(struct wire_conn *c, struct strbuf *to_client, const char *message)
{
	pg_refuse(c, "08004", message, to_client);
	return WIRE_CLOSE;
}

/* ---- the client's packets ---- */

static enum wire_act
dial(struct wire_conn *c)
{
	if (c->hs->dialed) {		/* for an earlier TLS request */
		c->hs->step = STEP_SERVER;
		return WIRE_MORE;
	}
	c->hs->step = STEP_DIAL;
	return c->hs->why == WIRE_OPAQUE_CANCEL ? WIRE_DIAL_CANCEL : WIRE_DIAL;
}

static enum wire_act
start_client_tls(struct wire_conn *c, struct strbuf *to_client)
{
	strbuf_char(to_client, 'S');
	c->hs->client_waits = false;
	c->hs->step = STEP_CLIENT_TLS;
	return WIRE_TLS_START_CLIENT;
}

/* The answer to a TLS request depends on the server's own. */
static bool
server_decides(const struct wire_conn *c)
{
	if (c->setup->client_tls == WIRE_TLS_PASSTHROUGH)
		return true;
	return c->setup->server_tls == WIRE_TLS_MIRROR && !c->setup->server_is_unix;
}

static enum wire_act
on_ssl_request(struct wire_conn *c, struct strbuf *to_client)
{
	if (c->setup->client_tls != WIRE_TLS_DISABLE && !c->hs->server_declined) {
		if (!server_decides(c))
			return start_client_tls(c, to_client);
		c->hs->client_waits = true;
		return dial(c);
	}
	strbuf_char(to_client, 'N');
	return WIRE_MORE;
}

/* A ClientHello without a request before it (PostgreSQL 17's direct TLS). */
static enum wire_act
on_direct_tls(struct wire_conn *c)
{
	if (c->setup->client_tls == WIRE_TLS_DISABLE || c->hs->requests)
		return WIRE_CLOSE;
	if (c->setup->client_tls == WIRE_TLS_PASSTHROUGH) {
		c->hs->why = WIRE_OPAQUE_PASSTHROUGH;
		return dial(c);
	}
	c->hs->step = STEP_CLIENT_TLS;
	return WIRE_TLS_START_CLIENT;
}

/* The server's reading of a boolean that is false: a beginning of one of these words. */
static bool
is_no(struct span value)
{
	const char *v = (const char *)value.p;

	if (value.n == 0)
		return false;
	return strncasecmp("false", v, value.n) == 0 || strncasecmp("no", v, value.n) == 0 || span_is(value, "0")
	    || (value.n > 1 && strncasecmp("off", v, value.n) == 0);
}

/* The parameters, in any order, ended by an empty name. */
static void
read_startup(struct wire_conn *c, struct span packet)
{
	struct bytes b = bytes_of(span_from(packet, 8));
	struct span name, value;

	for (;;) {
		name = bytes_cstr(&b);
		if (b.bad || name.n == 0)
			return;
		value = bytes_cstr(&b);
		if (b.bad)
			return;
		c->ops->fact(c->ctx, WIRE_FACT_STARTUP, name, value);
		if (span_is(name, "replication") && !is_no(value))
			c->hs->why = WIRE_OPAQUE_REPLICATION;
	}
}

static bool
keep_packet(struct pg_handshake *h, struct span packet)
{
	h->packet = mem_alloc(packet.n);
	if (!h->packet)
		return false;
	memcpy(h->packet, packet.p, packet.n);
	h->packet_n = packet.n;
	return true;
}

static enum wire_act
on_startup(struct wire_conn *c, struct span packet, uint32_t code, struct strbuf *to_client)
{
	struct pg_handshake *h = c->hs;

	if (code == CODE_CANCEL) {
		if (packet.n < 16 || packet.n > MAX_CANCEL)
			return WIRE_CLOSE;
		h->why = WIRE_OPAQUE_CANCEL;
	} else if (c->setup->client_tls == WIRE_TLS_REQUIRE && !h->client_tls)
		return reject(to_client, "28000", "rowcall: this port demands TLS; connect with sslmode=require");
	else if (code >> 16 != 3)
		h->why = WIRE_OPAQUE_LEGACY;
	else
		read_startup(c, packet);
	return keep_packet(h, packet) ? dial(c) : WIRE_CLOSE;
}

static enum wire_act
on_client(struct wire_conn *c, struct span in, size_t *used, struct strbuf *to_client)
{
	struct pg_handshake *h = c->hs;
	uint32_t length, code;

	if (in.n == 0)
		return WIRE_MORE;
	if (in.p[0] == TLS_HANDSHAKE && !h->client_tls)
		return on_direct_tls(c);
	if (in.p[0] != 0)		/* a length that begins otherwise is no length: HTTP, another database's client */
		return reject(to_client, "08P01", "rowcall: this port speaks the PostgreSQL protocol, and these bytes do not");
	if (in.n < 4)
		return WIRE_MORE;
	length = load_be32(in.p);
	if (length < 8 || length > LIMIT_PG_STARTUP)
		return WIRE_CLOSE;	/* as the server does */
	if (in.n < length)
		return WIRE_MORE;
	code = load_be32(in.p + 4);
	*used = length;
	if (code != CODE_SSL && code != CODE_GSS)
		return on_startup(c, span_first(in, length), code, to_client);
	/* What came in clear behind the request could be taken for encrypted later. */
	if (length != 8 || in.n != 8 || ++h->requests > LIMIT_PG_HANDSHAKES)
		return WIRE_CLOSE;
	if (code == CODE_SSL && !h->client_tls)
		return on_ssl_request(c, to_client);
	strbuf_char(to_client, 'N');
	return WIRE_MORE;
}

/* ---- the server leg ---- */

static bool
wants_server_tls(const struct wire_conn *c)
{
	switch (c->setup->server_tls) {
	case WIRE_TLS_PREFER:
	case WIRE_TLS_REQUIRE:
	case WIRE_TLS_VERIFY_CA:
	case WIRE_TLS_VERIFY_FULL:
		return !c->setup->server_is_unix;
	case WIRE_TLS_MIRROR:
		return c->hs->client_tls && !c->setup->server_is_unix;
	case WIRE_TLS_DISABLE:
	case WIRE_TLS_ALLOW:
	case WIRE_TLS_PASSTHROUGH:
		break;
	}
	return false;
}

static enum wire_act
send_packet(struct wire_conn *c, struct strbuf *to_server, uint64_t now)
{
	struct pg_handshake *h = c->hs;

	if (h->packet && !strbuf_add(to_server, span_of(h->packet, h->packet_n)))
		return WIRE_CLOSE;
	/* A server that is asked over TLS offers channel binding, and a client that asked in clear takes that for an attack. */
	if (h->server_tls && !h->client_tls && (h->why == WIRE_CLEAR || h->why == WIRE_OPAQUE_REPLICATION)) {
		h->step = STEP_OFFER;
		return WIRE_MORE;
	}
	return finish(c, now);
}

static enum wire_act
ask_server_tls(struct wire_conn *c, struct strbuf *to_server)
{
	strbuf_add(to_server, span_of(ssl_request, sizeof ssl_request));
	c->hs->step = STEP_SERVER_ANSWER;
	return WIRE_MORE;
}

static enum wire_act
on_server_there(struct wire_conn *c, struct strbuf *to_client, struct strbuf *to_server, uint64_t now)
{
	struct pg_handshake *h = c->hs;

	if (h->client_waits)
		return h->server_tls ? start_client_tls(c, to_client) : ask_server_tls(c, to_server);
	if (!h->packet || h->server_tls || !wants_server_tls(c))
		return send_packet(c, to_server, now);
	if (!h->server_declined)
		return ask_server_tls(c, to_server);
	if (c->setup->server_tls == WIRE_TLS_PREFER)
		return send_packet(c, to_server, now);
	return refuse_and_close(c, to_client, "rowcall: the server does not offer TLS, which rowcall was told to demand of it");
}

static enum wire_act
on_server_yes(struct wire_conn *c, struct span in, struct strbuf *to_client, uint64_t now)
{
	struct pg_handshake *h = c->hs;

	if (in.n > 1)			/* somebody stuffed bytes behind the answer, to be taken for encrypted ones */
		return refuse_and_close(c, to_client, "rowcall: the server sent bytes in clear behind its agreement to TLS, as an attacker would");
	if (h->client_waits && c->setup->client_tls == WIRE_TLS_PASSTHROUGH) {
		strbuf_char(to_client, 'S');
		h->why = WIRE_OPAQUE_PASSTHROUGH;
		return finish(c, now);
	}
	h->step = STEP_SERVER_TLS;
	return WIRE_TLS_START_SERVER;
}

static enum wire_act
on_server_no(struct wire_conn *c, struct strbuf *to_client)
{
	struct pg_handshake *h = c->hs;

	h->server_declined = true;
	h->step = STEP_SERVER;
	if (h->client_waits) {
		strbuf_char(to_client, 'N');
		h->client_waits = false;
		h->step = STEP_CLIENT;
	}
	return WIRE_MORE;
}

static enum wire_act
on_server_answer(struct wire_conn *c, struct span in, size_t *used, struct strbuf *to_client, uint64_t now)
{
	if (in.n == 0)
		return WIRE_MORE;
	*used = 1;
	if (in.p[0] == 'S')
		return on_server_yes(c, in, to_client, now);
	if (in.p[0] == 'N' && in.n == 1)
		return on_server_no(c, to_client);
	return refuse_and_close(c, to_client, "rowcall: the server answered the request for TLS with something else");
}

/* ---- the channel-binding offer ---- */

/* The offer without SCRAM-SHA-256-PLUS; false when nothing is to be taken out, or nothing would be left. */
static bool
strip_plus(struct span body, struct strbuf *to_client)
{
	struct bytes b = bytes_of(span_from(body, 4));
	struct strbuf list;
	uint8_t header[9] = { 'R' };
	struct span name;
	bool found = false;

	strbuf_init(&list, LONGEST_OFFER);
	while ((name = bytes_cstr(&b)).n) {
		if (span_is(name, "SCRAM-SHA-256-PLUS"))
			found = true;
		else if (strbuf_add(&list, name))
			strbuf_char(&list, '\0');
	}
	found = found && bytes_done(&b) && list.n && strbuf_char(&list, '\0');
	if (found) {
		put_be32(header + 1, (uint32_t)(8 + list.n));
		put_be32(header + 5, 10);
		strbuf_add(to_client, span_of(header, sizeof header));
		strbuf_add(to_client, strbuf_span(&list));
	}
	strbuf_clear(&list);
	return found;
}

static enum wire_act
on_offer(struct wire_conn *c, struct span in, size_t *used, struct strbuf *to_client, uint64_t now)
{
	uint32_t length;
	struct span message;

	if (in.n < 5)
		return WIRE_MORE;
	length = load_be32(in.p + 1);
	/* Only notices and the version's negotiation may come before; anything else ends the editing. */
	if (!memchr("RNv", in.p[0], 3) || length < 4 || length > LONGEST_OFFER)
		return finish(c, now);
	if (in.n < 1 + (size_t)length)
		return WIRE_MORE;
	message = span_first(in, 1 + (size_t)length);
	*used = message.n;
	if (message.p[0] != 'R' || length < 8 || load_be32(message.p + 5) != 10 || !strip_plus(span_from(message, 5), to_client))
		strbuf_add(to_client, message);
	if (c->hs->why == WIRE_CLEAR)
		pg_feed(c, WIRE_SERVER, message, now);
	return message.p[0] == 'R' ? finish(c, now) : WIRE_MORE;
}

/* ---- the engine's door ---- */

enum wire_act
pg_handshake(struct wire_conn *c, enum wire_leg from, struct span in, size_t *used, struct strbuf *to_client, struct strbuf *to_server,
    uint64_t now)
{
	*used = 0;
	if (!c->hs)
		return c->why == WIRE_CLEAR ? WIRE_PIPE : WIRE_BLIND;
	switch (c->hs->step) {
	case STEP_CLIENT:
		return from == WIRE_CLIENT ? on_client(c, in, used, to_client) : WIRE_MORE;
	case STEP_SERVER:
		return on_server_there(c, to_client, to_server, now);
	case STEP_SERVER_ANSWER:
		return from == WIRE_SERVER ? on_server_answer(c, in, used, to_client, now) : WIRE_MORE;
	case STEP_OFFER:
		return from == WIRE_SERVER ? on_offer(c, in, used, to_client, now) : WIRE_MORE;
	case STEP_CLIENT_TLS:
	case STEP_DIAL:
	case STEP_SERVER_TLS:
		break;
	}
	return WIRE_MORE;
}

void
pg_dialed(struct wire_conn *c)
{
	if (!c->hs)
		return;
	c->hs->dialed = true;
	if (c->hs->step == STEP_DIAL)
		c->hs->step = STEP_SERVER;
}

void
pg_tls_up(struct wire_conn *c, enum wire_leg leg)
{
	if (!c->hs)
		return;
	if (leg == WIRE_CLIENT) {
		c->hs->client_tls = true;
		c->hs->step = STEP_CLIENT;
	} else {
		c->hs->server_tls = true;
		c->hs->step = STEP_SERVER;
	}
}

bool
pg_needs_client(const struct wire_conn *c)
{
	return c->hs && c->hs->step == STEP_CLIENT;
}

/* The body of BackendKeyData and the tail of a CancelRequest are the same bytes. */
struct span
pg_cancel_target(struct wire_conn *c)
{
	if (!c->hs || c->hs->why != WIRE_OPAQUE_CANCEL)
		return (struct span){ NULL, 0 };
	return span_of(c->hs->packet + 8, c->hs->packet_n - 8);
}
