/* SPDX-License-Identifier: Apache-2.0 */
/* yaml: see yaml.h. Two passes over the same bytes: events first, for what the document API hides (anchors, tags, further documents),
 * then the document, walked against the option table. */
#include "yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "fingerprint/strbuf.h"

struct reader {
	struct settings *settings;
	const char *file;
	struct problem *problem;
	yaml_document_t *doc;
};

static bool __attribute__((format(printf, 3, 4))) complain(struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return problem(r->problem, "%s:%zu:%zu: %s", r->file, at.line + 1, at.column + 1, text);
}

/* ---- first pass: events ---- */

static bool
check_node(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		return complain(r, e->start_mark, "anchors (&%s) are not used here; write the value out", (const char *)anchor);
	if (tag)
		return complain(r, e->start_mark, "tags (%s) are not used here", (const char *)tag);
	return true;
}

static bool
check_event(struct reader *r, const yaml_event_t *e, unsigned *documents, unsigned *depth)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1)
			return complain(r, e->start_mark, "a second document; one file holds one configuration");
		return true;
	case YAML_ALIAS_EVENT:
		return complain(
		    r, e->start_mark, "aliases (*%s) are not used here; write the value out", (const char *)e->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return check_node(r, e, e->data.scalar.anchor, e->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++*depth > LIMIT_CONFIG_DEPTH)
			return complain(r, e->start_mark, "nested too deeply");
		if (e->type == YAML_MAPPING_START_EVENT)
			return check_node(r, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
		return check_node(r, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		return true;
	default:
		return true;
	}
}

static bool
complain_syntax(struct reader *r, const yaml_parser_t *parser)
{
	return complain(r, parser->problem_mark, "%s", parser->problem ? parser->problem : "not readable as YAML");
}

static bool
check_events(struct reader *r, struct span text)
{
	unsigned documents = 0, depth = 0;
	yaml_parser_t parser;
	bool ok = true, end = false;

	if (!yaml_parser_initialize(&parser))
		return problem(r->problem, "%s: out of memory", r->file);
	yaml_parser_set_input_string(&parser, text.p, text.n);
	while (ok && !end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			ok = complain_syntax(r, &parser);
			break;
		}
		ok = check_event(r, &event, &documents, &depth);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return ok;
}

/* ---- second pass: the document against the table ---- */

static yaml_node_t *
node_at(struct reader *r, int index)
{
	return yaml_document_get_node(r->doc, index);
}

static const char *
scalar_text(const yaml_node_t *n)
{
	return (const char *)n->data.scalar.value;
}

static const char *
kind_of(const yaml_node_t *n)
{
	return n->type == YAML_MAPPING_NODE ? "a mapping" : n->type == YAML_SEQUENCE_NODE ? "a list" : "a single value";
}

static bool
is_null(const yaml_node_t *n)
{
	const char *text = scalar_text(n);

	return n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static bool
read_scalar(struct reader *r, yaml_node_t *n, enum option_id id, uint32_t entry)
{
	char where[400], why[200];
	int64_t value;

	snprintf(where, sizeof where, "%s:%zu:%zu", r->file, n->start_mark.line + 1, n->start_mark.column + 1);
	if (n->type != YAML_SCALAR_NODE)
		return complain(r, n->start_mark, "%s wants a single value, not %s", options[id].key, kind_of(n));
	if (strlen(scalar_text(n)) != n->data.scalar.length)
		return complain(r, n->start_mark, "a NUL character");
	if (is_null(n))
		return complain(r, n->start_mark, "%s has no value; leave the key out to use its default", options[id].key);
	if (!option_value(&options[id], scalar_text(n), &value, why, sizeof why))
		return complain(r, n->start_mark, "%s wants %s%s%s%s", options[id].key, why, options[id].secret ? "" : ", not \"",
		    options[id].secret ? "" : scalar_text(n), options[id].secret ? "" : "\"");
	return settings_add(r->settings,
	    (struct setting){ .id = id,
		.by = SAID_FILE,
		.entry = entry,
		.line = (uint32_t)n->start_mark.line + 1,
		.column = (uint32_t)n->start_mark.column + 1,
		.text = scalar_text(n) },
	    where, r->problem);
}

static bool
read_option(struct reader *r, yaml_node_t *n, enum option_id id, uint32_t entry)
{
	if (options[id].many == OPTION_ONCE || entry != UINT32_MAX)
		return read_scalar(r, n, id, entry == UINT32_MAX ? 0 : entry);
	if (n->type != YAML_SEQUENCE_NODE)
		return complain(r, n->start_mark, "%s wants a list: [a, b]", options[id].key);
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
		if (!read_scalar(r, node_at(r, *i), id, 0))
			return false;
	}
	return true;
}

static bool read_mapping(struct reader *r, yaml_node_t *n, const char *prefix, uint32_t entry);

static bool
read_list(struct reader *r, yaml_node_t *n, const char *key, const char *prefix)
{
	uint32_t entry = 0;

	if (n->type != YAML_SEQUENCE_NODE)
		return complain(r, n->start_mark, "%s wants a list of entries, not %s", key, kind_of(n));
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++, entry++) {
		if (entry == LIMIT_LIST)
			return complain(r, node_at(r, *i)->start_mark, "more than %d entries", LIMIT_LIST);
		if (!read_mapping(r, node_at(r, *i), prefix, entry))
			return false;
	}
	return true;
}

static bool
unknown_key(struct reader *r, yaml_node_t *key, const char *prefix)
{
	char allowed[600], word[80], nearest[80] = "";
	unsigned best = 9;

	option_keys_below(prefix, allowed, sizeof allowed);
	for (const char *p = allowed; *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ",");

		snprintf(word, sizeof word, "%.*s", (int)n, p);
		if (option_nearer(scalar_text(key), word, &best))
			memcpy(nearest, word, sizeof nearest);
		p += n;
	}
	if (*nearest)
		return complain(
		    r, key->start_mark, "unknown key \"%s\"; did you mean %s? Allowed here: %s", scalar_text(key), nearest, allowed);
	return complain(r, key->start_mark, "unknown key \"%s\"; allowed here: %s", scalar_text(key), allowed);
}

static bool
read_pair(struct reader *r, yaml_node_t *key, yaml_node_t *value, const char *prefix, uint32_t entry)
{
	char path[120], below[130];

	if (key->type != YAML_SCALAR_NODE)
		return complain(r, key->start_mark, "a key is a single word, not %s", kind_of(key));
	if (key->data.scalar.length > 60 || strpbrk(scalar_text(key), ".[]"))
		return unknown_key(r, key, prefix);
	snprintf(path, sizeof path, "%s%s", prefix, scalar_text(key));
	enum option_id id = option_by_key(path);

	if (id != OPTIONS)
		return read_option(r, value, id, entry);
	snprintf(below, sizeof below, "%s[].", path);
	if (option_key_prefix(below))
		return read_list(r, value, path, below);
	snprintf(below, sizeof below, "%s.", path);
	if (option_key_prefix(below))
		return read_mapping(r, value, below, UINT32_MAX);
	return unknown_key(r, key, prefix);
}

static bool
is_duplicate(struct reader *r, yaml_node_t *n, yaml_node_pair_t *pair)
{
	yaml_node_t *key = node_at(r, pair->key);

	for (yaml_node_pair_t *i = n->data.mapping.pairs.start; i < pair; i++) {
		yaml_node_t *other = node_at(r, i->key);

		if (other->type == YAML_SCALAR_NODE && key->type == YAML_SCALAR_NODE && strcmp(scalar_text(other), scalar_text(key)) == 0)
			return true;
	}
	return false;
}

/* entry: which entry of a list this mapping is; UINT32_MAX outside lists. */
static bool
read_mapping(struct reader *r, yaml_node_t *n, const char *prefix, uint32_t entry)
{
	char allowed[600];

	if (n->type != YAML_MAPPING_NODE) {
		option_keys_below(prefix, allowed, sizeof allowed);
		return complain(r, n->start_mark, "expected keys with values, not %s; allowed here: %s", kind_of(n), allowed);
	}
	for (yaml_node_pair_t *i = n->data.mapping.pairs.start; i < n->data.mapping.pairs.top; i++) {
		yaml_node_t *key = node_at(r, i->key);

		if (is_duplicate(r, n, i))
			return complain(r, key->start_mark, "\"%s\" stands here twice", scalar_text(key));
		if (!read_pair(r, key, node_at(r, i->value), prefix, entry))
			return false;
	}
	return true;
}

bool
yaml_read(struct settings *s, struct span text, const char *shown, struct problem *p)
{
	struct reader r = { .settings = s, .file = shown, .problem = p };
	yaml_parser_t parser;
	yaml_document_t doc;
	bool ok;

	s->file = arena_strndup(&s->arena, span_str(shown));
	if (!check_events(&r, text))
		return false;
	if (!yaml_parser_initialize(&parser))
		return problem(p, "%s: out of memory", shown);
	yaml_parser_set_input_string(&parser, text.p, text.n);
	ok = yaml_parser_load(&parser, &doc) || complain_syntax(&r, &parser);
	if (ok) {
		yaml_node_t *root = yaml_document_get_root_node(&doc);

		r.doc = &doc;
		ok = !root || read_mapping(&r, root, "", UINT32_MAX);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return ok;
}

/* ---- files ---- */

/* The whole file, or a problem. */
static bool
read_file(int fd, const char *shown, struct strbuf *text, struct problem *p)
{
	enum { CHUNK = 4096 };

	strbuf_init(text, LIMIT_CONFIG_BYTES + CHUNK);
	while (text->n <= LIMIT_CONFIG_BYTES) {
		char *room = strbuf_room(text, CHUNK);
		ssize_t got = room ? read(fd, room, CHUNK) : -1;

		if (got < 0)
			return problem(p, "%s: %s", shown, room ? strerror(errno) : "out of memory");
		if (got == 0)
			return true;
		text->n += (size_t)got;
	}
	return problem(p, "%s: larger than 1 MiB", shown);
}

bool
yaml_load(struct settings *s, const char *path, const char *shown, struct problem *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct strbuf text;
	bool ok;

	if (fd < 0)
		return problem(p, "%s: %s", shown, strerror(errno));
	ok = read_file(fd, shown, &text, p) && yaml_read(s, strbuf_span(&text), shown, p);
	close(fd);
	strbuf_clear(&text);
	return ok;
}

static bool
exists(const char *directory, const char *name)
{
	char path[4200];
	struct stat st;

	return (size_t)snprintf(path, sizeof path, "%s/%s", directory, name) < sizeof path && stat(path, &st) == 0;
}

static bool
is_repository_root(const char *directory)
{
	return exists(directory, ".git") || exists(directory, ".hg") || exists(directory, ".jj") || exists(directory, ".svn");
}

/* Directories to climb from `from` to the root of its repository; 0 when it is in none. */
static unsigned
climb_height(const char *from)
{
	char path[4096];
	unsigned up = 0;

	if ((size_t)snprintf(path, sizeof path, "%s", from) >= sizeof path)
		return 0;
	while (!is_repository_root(path)) {
		char *slash = strrchr(path, '/');

		if (!slash || slash[1] == '\0')
			return 0;
		slash[slash == path] = '\0'; /* the last climb leads to "/" */
		up++;
	}
	return up;
}

const char *
yaml_find(struct arena *a, const char *from, struct problem *p)
{
	unsigned height = climb_height(from);
	struct strbuf up;
	const char *found = NULL;

	p->text[0] = '\0';
	strbuf_init(&up, 4096);
	for (unsigned i = 0; i <= height && !found; i++) {
		char directory[8300];

		if ((size_t)snprintf(directory, sizeof directory, "%s/%s", from, strbuf_cstr(&up)) >= sizeof directory)
			break;
		if (exists(directory, "rowcall.yaml")) {
			strbuf_str(&up, "rowcall.yaml");
			found = arena_strndup(a, strbuf_span(&up));
		} else if (exists(directory, "rowcall.yml")) {
			problem(p, "%srowcall.yml: the file is called rowcall.yaml; rename it, or name it with --config", strbuf_cstr(&up));
			break;
		}
		strbuf_str(&up, "../");
	}
	strbuf_clear(&up);
	return found;
}
