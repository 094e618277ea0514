/* SPDX-License-Identifier: Apache-2.0 */
/* url_tls: see url_tls.h. */
#include "url_tls.h"

#include <ctype.h>

bool
url_tls_word(struct span word, enum wire_tls *tls)
{
	static const struct {
		const char *word;
		enum wire_tls tls;
	} words[] = {
		{ "disable", WIRE_TLS_DISABLE },
		{ "disabled", WIRE_TLS_DISABLE },
		{ "allow", WIRE_TLS_PREFER },
		{ "prefer", WIRE_TLS_PREFER },
		{ "preferred", WIRE_TLS_PREFER },
		{ "require", WIRE_TLS_REQUIRE },
		{ "required", WIRE_TLS_REQUIRE },
		{ "no-verify", WIRE_TLS_REQUIRE },
		{ "trust", WIRE_TLS_REQUIRE },
		{ "verify-ca", WIRE_TLS_VERIFY_CA },
		{ "verify_ca", WIRE_TLS_VERIFY_CA },
		{ "verify-full", WIRE_TLS_VERIFY_FULL },
		{ "verify_identity", WIRE_TLS_VERIFY_FULL },
		{ "verify-identity", WIRE_TLS_VERIFY_FULL },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (span_is_nocase(word, words[i].word)) {
			*tls = words[i].tls;
			return true;
		}
	}
	return false;
}

bool
url_tls_demands(enum wire_tls tls)
{
	return tls == WIRE_TLS_REQUIRE || tls == WIRE_TLS_VERIFY_CA || tls == WIRE_TLS_VERIFY_FULL;
}

/* The word of the same family that asks for no TLS. */
static const char *
word_for_plain(enum engine_kind engine, struct span word)
{
	if (engine == ENGINE_POSTGRESQL || memchr(word.p, '-', word.n) || span_is_nocase(word, "require") || span_is_nocase(word, "trust"))
		return "disable";
	return isupper(word.p[0]) ? "DISABLED" : "disabled";
}

static struct url_tls_param
read_switch(struct span name, struct span value, enum engine_kind engine)
{
	struct url_tls_param w = { 0 };

	if (span_is(value, "true") || span_is(value, "1") || (value.n && value.p[0] == '{')) {
		bool verifies = span_is(name, "ssl") && !memmem(value.p, value.n, "\"rejectUnauthorized\":false", 26);

		w = (struct url_tls_param){ .said = true,
			.demanded = true,
			.changed = true,
			.plain = value.p[0] == '1' ? "0" : "false",
			.tls = verifies ? WIRE_TLS_VERIFY_FULL : WIRE_TLS_REQUIRE };
	} else if (url_tls_word(value, &w.tls)) {
		w.said = true;
		w.demanded = w.changed = url_tls_demands(w.tls);
		w.plain = word_for_plain(engine, value);
	}
	return w;
}

struct url_tls_param
url_tls_read(enum engine_kind engine, struct span name, struct span value)
{
	struct url_tls_param w = { 0 };
	bool pg = engine == ENGINE_POSTGRESQL;

	if (span_is_nocase(name, "sslmode") || span_is(name, "ssl-mode") || span_is(name, "ssl_mode")) {
		w.said = url_tls_word(value, &w.tls);
		w.demanded = w.changed = w.said && url_tls_demands(w.tls);
		if (w.changed)
			w.plain = word_for_plain(engine, value);
	} else if (span_is(name, "ssl") || span_is(name, "useSSL") || span_is(name, "requireSSL"))
		w = read_switch(name, value, engine);
	else if (pg && (span_is(name, "channel_binding") || span_is(name, "channelBinding") || span_is(name, "gssencmode") ||
			   span_is(name, "gssEncMode"))) {
		w.changed = span_is(value, "require");
		w.plain = "disable";
	} else if (pg && (span_is(name, "sslnegotiation") || span_is(name, "sslNegotiation"))) {
		w.changed = span_is(value, "direct");
		w.plain = "postgres";
	} else if (pg && span_is(name, "sslrootcert"))
		w.changed = span_is(value, "system"); /* libpq takes it only with verify-full */
	else if (pg && span_is(name, "requirepeer"))
		w.changed = true; /* the peer of this leg is rowcall */
	return w;
}
