/* SPDX-License-Identifier: Apache-2.0 */
/* my_handshake: the part of a MySQL session that may be edited: the server's greeting, the client's response, TLS on either leg, and
 * sequence ids while only one leg has TLS (an SSLRequest takes one).
 * Never: touches nonce, connection id, names or proofs, runs authentication in lock-step, or waits for it when nothing needs editing. */
#include "my_conn.h"

#include "fingerprint/mem.h"

/* Our own words to a client. */
/* Numbers of servers only: 2xxx are the client library's own, which takes them in a packet for damage. */
enum { ER_TOO_MANY = 1040, ER_SHUTDOWN = 1053, ER_HANDSHAKE = 1043, ER_UNKNOWN = 1105, ER_INSECURE = 3159 };

/* caching_sha2_password: the server does not remember the password, the client must show it; the client wants the server's key for that. */
enum { SHA2_FULL = 0x04, SHA2_KEY = 0x02 };

/* Client plugins that send the password as it is, some only once they are under TLS. */
static bool
plugin_is_clear(struct span plugin)
{
	return span_is(plugin, "mysql_clear_password") || span_is(plugin, "sha256_password") || span_is(plugin, "dialog");
}

static bool
plugin_is_sha2(struct span plugin)
{
	return span_is(plugin, "caching_sha2_password");
}

void
my_handshake_free(struct wire_conn *c)
{
	if (!c->hand)
		return;
	/* The response may hold a password in clear. */
	if (c->hand->held.p)
		explicit_bzero(c->hand->held.p, c->hand->held.cap);
	strbuf_clear(&c->hand->held);
	mem_free(c->hand);
	c->hand = NULL;
}

static enum wire_act
over(struct wire_conn *c, enum wire_act act)
{
	c->phase = MY_PIPED;
	my_handshake_free(c);
	return act;
}

static enum wire_act
blind(struct wire_conn *c, enum wire_opaque why, const char *detail)
{
	my_opaque(c, why, detail);
	return over(c, WIRE_BLIND);
}

/* The next packet: its whole length with header, 0 when it is not all there. *size: its payload, as declared. */
static size_t
packet_at(struct span in, uint32_t *size)
{
	*size = 0;
	if (in.n < MY_HEADER)
		return 0;
	*size = load_le24(in.p);
	return in.n - MY_HEADER < *size ? 0 : MY_HEADER + *size;
}

static void
put16(struct strbuf *b, size_t at, uint32_t v)
{
	b->p[at] = (char)(v & 0xff);
	b->p[at + 1] = (char)(v >> 8 & 0xff);
}

static void
put32(struct strbuf *b, size_t at, uint32_t v)
{
	put16(b, at, v);
	put16(b, at + 2, v >> 16);
}

static enum wire_act
reject(struct wire_conn *c, struct strbuf *to_client, unsigned number, const char *sqlstate, const char *message)
{
	bool greeted = c->hand->greeted;

	my_err_write(to_client, greeted ? (uint8_t)(c->hand->client_seq + 1) : 0, number, greeted ? sqlstate : NULL, message);
	return over(c, WIRE_CLOSE);
}

bool
my_refuse(struct wire_conn *c, const char *sqlstate, const char *message, struct strbuf *to_client)
{
	unsigned number = ER_UNKNOWN;
	const char *state = "HY000";

	if (!c->hand || c->phase == MY_CLIENT_TLS)
		return false;
	if (strcmp(sqlstate, "53300") == 0) {
		number = ER_TOO_MANY;
		state = "08004";
	} else if (strncmp(sqlstate, "57P", 3) == 0) {
		number = ER_SHUTDOWN;
		state = "08S01";
	} else if (strncmp(sqlstate, "28", 2) == 0) {
		number = ER_INSECURE;
	}
	reject(c, to_client, number, state, message);
	return true;
}

/* ---- the greeting ---- */

static void
tell_server(struct wire_conn *c, const struct my_greeting *g)
{
	struct span version = g->version;
	struct strbuf id;

	/* MariaDB before 11 hides behind a version that old replicas accept. */
	if (version.n > 6 && memcmp(version.p, "5.5.5-", 6) == 0)
		version = span_from(version, 6);
	my_fact(c, WIRE_FACT_SERVER, SPAN_LIT("server_version"), version);
	strbuf_init(&id, 16);
	strbuf_printf(&id, "%u", g->connection_id);
	my_fact(c, WIRE_FACT_SERVER, SPAN_LIT("connection_id"), strbuf_span(&id));
	strbuf_clear(&id);
}

/* What of the server's offer the client may see. In passthrough the response may be out of reach, so nothing can be taken back there. */
static void
decide_offer(struct wire_conn *c)
{
	struct my_handshake *h = c->hand;
	enum wire_tls tls = c->setup->client_tls;

	h->offered = h->greeting.caps;
	if (tls == WIRE_TLS_PASSTHROUGH)
		return;
	if (!c->setup->compression)
		h->masked = MY_CAP_COMPRESS | MY_CAP_ZSTD;
	h->offered &= ~(h->masked | MY_CAP_SSL);
	if (tls != WIRE_TLS_DISABLE)
		h->offered |= MY_CAP_SSL;
}

static bool
server_tls_demanded(const struct wire_conn *c)
{
	enum wire_tls tls = c->setup->server_tls;

	return !c->setup->server_is_unix && (tls == WIRE_TLS_REQUIRE || tls == WIRE_TLS_VERIFY_CA || tls == WIRE_TLS_VERIFY_FULL);
}

static enum wire_act
server_refuses(struct wire_conn *c, struct span packet, struct strbuf *to_client)
{
	char code[8];

	strbuf_add(to_client, packet);
	if (my_err_read(span_from(packet, MY_HEADER), code))
		c->ops->notice(c->ctx, code, c->now);
	return over(c, WIRE_CLOSE);
}

static enum wire_act
on_greeting(struct wire_conn *c, struct span in, size_t *used, struct strbuf *to_client)
{
	struct my_handshake *h = c->hand;
	uint32_t size;
	size_t n = packet_at(in, &size), base = to_client->n + MY_HEADER;
	struct span payload = span_from(span_first(in, n), MY_HEADER);

	if (size > LIMIT_MY_HANDSHAKE)
		return blind(c, WIRE_OPAQUE_BAD_LENGTH, "the server's greeting");
	if (!n)
		return WIRE_MORE;
	if (size && payload.p[0] == MY_ERR) {
		*used = n;
		return server_refuses(c, span_first(in, n), to_client);
	}

	bool known = my_greeting_read(payload, &h->greeting) && h->greeting.caps & MY_CAP_PROTOCOL_41;

	if (server_tls_demanded(c) && !(known && h->greeting.caps & MY_CAP_SSL)) {
		*used = n;
		return reject(c, to_client, ER_INSECURE, NULL, "rowcall: the server offers no TLS, and server_tls demands it");
	}
	if (!known)
		return blind(c, size && (payload.p[0] == 9 || payload.p[0] == 10) ? WIRE_OPAQUE_LEGACY : WIRE_OPAQUE_UNKNOWN_TYPE,
		    "the server's greeting");
	tell_server(c, &h->greeting);
	decide_offer(c);
	if (!strbuf_add(to_client, span_first(in, n)))
		return over(c, WIRE_CLOSE);
	put16(to_client, base + h->greeting.caps_low, h->offered);
	put16(to_client, base + h->greeting.caps_high, h->offered >> 16);
	h->sha2 = plugin_is_sha2(h->greeting.plugin);
	h->greeted = true;
	h->client_seq = in.p[3];
	c->phase = MY_RESPONSE;
	*used = n;
	return WIRE_MORE;
}

/* ---- the response ---- */

static const char asymmetric[] = "rowcall: this login needs TLS on both legs or on neither (server_tls: mirror)";

/* What the client shows under its TLS would go on in clear. */
static bool
password_would_leak(const struct wire_conn *c)
{
	return c->hand->client_tls && !c->hand->server_tls && !c->setup->server_is_unix;
}

static enum wire_act
on_ssl_request(struct wire_conn *c, struct span packet, size_t *used, struct strbuf *to_client, struct strbuf *to_server)
{
	struct my_handshake *h = c->hand;

	*used = packet.n;
	h->client_seq = packet.p[3];
	if (c->setup->client_tls == WIRE_TLS_PASSTHROUGH) {
		strbuf_add(to_server, packet);
		return blind(c, WIRE_OPAQUE_PASSTHROUGH, "TLS between client and server");
	}
	if (c->setup->client_tls == WIRE_TLS_DISABLE)
		return reject(c, to_client, ER_HANDSHAKE, "08S01", "rowcall: TLS was not offered");
	c->phase = MY_CLIENT_TLS;
	return WIRE_TLS_START_CLIENT;
}

static bool
server_tls_wanted(const struct wire_conn *c)
{
	bool offered = c->hand->greeting.caps & MY_CAP_SSL;

	if (c->setup->server_is_unix || !offered)
		return false;
	if (c->setup->server_tls == WIRE_TLS_MIRROR)
		return c->hand->client_tls;
	return c->setup->server_tls != WIRE_TLS_DISABLE;
}

static void
tell_response(struct wire_conn *c, const struct my_response *r)
{
	struct bytes attributes = bytes_of(r->attributes);
	struct span name, value;

	if (r->user.p)
		my_fact(c, WIRE_FACT_STARTUP, SPAN_LIT("user"), r->user);
	if (r->database.n)
		my_fact(c, WIRE_FACT_STARTUP, SPAN_LIT("database"), r->database);
	my_charset_tell(c, r->collation);
	while (my_attribute_next(&attributes, &name, &value))
		my_fact(c, WIRE_FACT_STARTUP, name, value);
}

/* What both sides can do from here on, as relayed. */
static void
settle(struct wire_conn *c, const struct my_response *r)
{
	struct my_handshake *h = c->hand;

	c->dialect.caps = h->offered & r->caps & ~h->masked;
	c->dialect.ext = h->greeting.ext & r->ext;
	if (r->plugin.n)
		h->sha2 = plugin_is_sha2(r->plugin);
	tell_response(c, r);
}

/* Sends the held response on and lets go, or stays to shift sequence ids. */
static enum wire_act
send_response(struct wire_conn *c, struct strbuf *to_server)
{
	struct my_handshake *h = c->hand;
	uint32_t caps = load_le32((const uint8_t *)h->held.p + MY_HEADER) & ~h->masked;

	put32(&h->held, MY_HEADER, h->server_tls ? caps | MY_CAP_SSL : caps & ~MY_CAP_SSL);
	h->held.p[3] = (char)(h->held.p[3] + h->server_tls - h->client_tls);
	if (!strbuf_add(to_server, strbuf_span(&h->held)))
		return over(c, WIRE_CLOSE);
	my_auth_begin(c);
	if (c->why != WIRE_CLEAR || h->server_tls == h->client_tls)
		return over(c, c->why == WIRE_CLEAR ? WIRE_PIPE : WIRE_BLIND);
	c->phase = MY_SHIFTED;
	return WIRE_MORE;
}

/* Our own SSLRequest: the fixed part of the client's response. */
static enum wire_act
start_server_tls(struct wire_conn *c, struct strbuf *to_server)
{
	struct my_handshake *h = c->hand;
	uint8_t header[MY_HEADER] = { MY_SSL_REQUEST, 0, 0, 1 };
	size_t base = to_server->n + MY_HEADER;

	/* Nothing may come in clear from a server that is asked for TLS. */
	if (h->server_early)
		return over(c, WIRE_CLOSE);
	strbuf_add(to_server, span_of(header, sizeof header));
	if (!strbuf_add(to_server, span_of(h->held.p + MY_HEADER, MY_SSL_REQUEST)))
		return over(c, WIRE_CLOSE);
	put32(to_server, base, (load_le32((const uint8_t *)h->held.p + MY_HEADER) & ~h->masked) | MY_CAP_SSL);
	c->phase = MY_SERVER_TLS;
	return WIRE_TLS_START_SERVER;
}

static enum wire_act
legacy_client(struct wire_conn *c, struct strbuf *to_client)
{
	if (server_tls_demanded(c) || c->setup->client_tls == WIRE_TLS_REQUIRE || c->hand->client_tls)
		return reject(c, to_client, ER_HANDSHAKE, "08S01", "rowcall: this client is too old for TLS");
	return blind(c, WIRE_OPAQUE_LEGACY, "a client of before 4.1");
}

static enum wire_act
on_response(struct wire_conn *c, struct span in, size_t *used, struct strbuf *to_client, struct strbuf *to_server)
{
	struct my_handshake *h = c->hand;
	uint32_t size;
	size_t n = packet_at(in, &size);
	struct span payload = span_from(span_first(in, n), MY_HEADER);
	struct my_response r;

	if (size > LIMIT_MY_HANDSHAKE)
		return reject(c, to_client, ER_HANDSHAKE, "08S01", "rowcall: the login packet is too long");
	if (!n)
		return WIRE_MORE;
	if (size >= 4 && !(load_le16(payload.p) & MY_CAP_PROTOCOL_41))
		return legacy_client(c, to_client);
	if (size == MY_SSL_REQUEST && !h->client_tls && load_le16(payload.p) & MY_CAP_SSL)
		return on_ssl_request(c, span_first(in, n), used, to_client, to_server);
	*used = n;
	h->client_seq = in.p[3];
	if (size < MY_SSL_REQUEST)
		return reject(c, to_client, ER_HANDSHAKE, "08S01", "rowcall: bad handshake");
	if (c->setup->client_tls == WIRE_TLS_REQUIRE && !h->client_tls)
		return reject(c, to_client, ER_INSECURE, "HY000", "rowcall: this listener takes connections with TLS only");
	my_response_read(payload, h->greeting.caps, &r);
	settle(c, &r);
	h->server_tls = server_tls_wanted(c);
	if (plugin_is_clear(r.plugin) && password_would_leak(c))
		return reject(c, to_client, ER_INSECURE, "HY000", asymmetric);
	h->held.max = n;
	if (!strbuf_add(&h->held, span_first(in, n)))
		return over(c, WIRE_CLOSE);
	return h->server_tls ? start_server_tls(c, to_server) : send_response(c, to_server);
}

/* The server speaks while it should wait for the client: an error is passed on, anything else stays where it is. */
static enum wire_act
on_early_server(struct wire_conn *c, struct span in, size_t *used, struct strbuf *to_client)
{
	uint32_t size;
	size_t n = packet_at(in, &size);

	c->hand->server_early = in.n > 0;
	if (!n || c->phase != MY_RESPONSE || size > LIMIT_MY_HANDSHAKE || !size || in.p[MY_HEADER] != MY_ERR)
		return WIRE_MORE;
	*used = n;

	size_t at = to_client->n;
	uint8_t seq = (uint8_t)(c->hand->client_seq + 1);
	enum wire_act act = server_refuses(c, span_first(in, n), to_client);

	if (to_client->n > at + MY_HEADER)
		to_client->p[at + 3] = (char)seq;
	return act;
}

/* ---- authentication with TLS on one leg only ---- */

/* The server asks for the password itself. Follows the plugin in use. */
static bool
asks_password(struct my_handshake *h, struct span payload)
{
	struct bytes b = bytes_of(payload);
	uint8_t first = bytes_u8(&b);

	if (first == MY_EOF && payload.n > 1) {
		struct span plugin = bytes_cstr(&b);

		h->sha2 = plugin_is_sha2(plugin);
		return plugin_is_clear(plugin);
	}
	h->cold = first == MY_MORE_DATA && payload.n == 2 && payload.p[1] == SHA2_FULL && h->sha2;
	return h->cold;
}

/* The client has no TLS and wants the server's key, but the server has TLS and would take the wish for the password. */
static bool
asks_key(const struct my_handshake *h, struct span payload)
{
	return h->cold && h->server_tls && payload.n == 1 && payload.p[0] == SHA2_KEY;
}

/* The client will ask for the key: a refusal in the place of the server's wish is one that every client shows, an answer to its own is not. */
static bool
will_ask_key(const struct wire_conn *c)
{
	return c->hand->cold && c->hand->server_tls && !c->hand->client_tls && !c->setup->client_is_unix;
}

/* A login that cannot succeed, or only by showing a password in clear. */
static bool
hopeless(struct wire_conn *c, enum wire_leg from, struct span payload)
{
	if (from == WIRE_CLIENT)
		return asks_key(c->hand, payload);
	return asks_password(c->hand, payload) && (password_would_leak(c) || will_ask_key(c));
}

/* Passes one packet on, its sequence id shifted. */
static enum wire_act
shift(struct wire_conn *c, enum wire_leg from, struct span in, size_t *used, struct strbuf *to_client, struct strbuf *to_server)
{
	struct my_handshake *h = c->hand;
	struct strbuf *to = from == WIRE_CLIENT ? to_server : to_client;
	int by = h->server_tls - h->client_tls;
	uint32_t size;
	size_t n = packet_at(in, &size), at = to->n;
	struct span packet = span_first(in, n);

	if (size > LIMIT_MY_HANDSHAKE)
		return reject(c, to_client, ER_HANDSHAKE, "08S01", "rowcall: a login packet is too long");
	if (!n)
		return WIRE_MORE;
	if (from == WIRE_CLIENT)
		h->client_seq = packet.p[3];
	if (hopeless(c, from, span_from(packet, MY_HEADER)))
		return reject(c, to_client, ER_INSECURE, "HY000", asymmetric);
	if (!strbuf_add(to, packet))
		return over(c, WIRE_CLOSE);
	to->p[at + 3] = (char)(to->p[at + 3] + (from == WIRE_CLIENT ? by : -by));
	if (from == WIRE_SERVER)
		h->client_seq = (uint8_t)to->p[at + 3];
	my_engine.feed(c, from, packet, c->now);
	*used = n;
	if (c->why != WIRE_CLEAR)
		return over(c, WIRE_BLIND);
	if (!c->authenticating)
		return over(c, c->ready ? WIRE_PIPE : WIRE_CLOSE);
	return WIRE_MORE;
}

/* ---- the machine ---- */

void
my_tls_up(struct wire_conn *c, enum wire_leg leg)
{
	if (leg == WIRE_CLIENT && c->phase == MY_CLIENT_TLS) {
		c->hand->client_tls = true;
		c->phase = MY_RESPONSE;
	}
	if (leg == WIRE_SERVER && c->phase == MY_SERVER_TLS)
		c->phase = MY_SERVER_SECURED;
}

bool
my_needs_client(const struct wire_conn *c)
{
	return c->phase == MY_RESPONSE;
}

enum wire_act
my_handshake(struct wire_conn *c, enum wire_leg from, struct span in, size_t *used, struct strbuf *to_client, struct strbuf *to_server,
    uint64_t now)
{
	c->now = now;
	*used = 0;
	switch (c->phase) {
	case MY_DIAL:
		c->phase = MY_GREETING;
		return WIRE_DIAL;
	case MY_GREETING:
		return from == WIRE_SERVER ? on_greeting(c, in, used, to_client) : WIRE_MORE;
	case MY_RESPONSE:
		return from == WIRE_SERVER ? on_early_server(c, in, used, to_client) : on_response(c, in, used, to_client, to_server);
	case MY_CLIENT_TLS:
		if (from == WIRE_SERVER)
			c->hand->server_early = in.n > 0;
		return WIRE_MORE;
	case MY_SERVER_TLS:
		return WIRE_MORE;
	case MY_SERVER_SECURED:
		return send_response(c, to_server);
	case MY_SHIFTED:
		return shift(c, from, in, used, to_client, to_server);
	case MY_PIPED:
		break;
	}
	return c->why == WIRE_CLEAR ? WIRE_PIPE : WIRE_BLIND;
}
