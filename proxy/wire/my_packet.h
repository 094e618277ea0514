/* SPDX-License-Identifier: Apache-2.0 */
/* my_packet: the packets of MySQL and MariaDB that are read the same way everywhere, and the protocol's numbers.
 * Does: decode one payload into a plain struct. Never: keeps state between packets, allocates, or reads past the payload. */
#ifndef ROWCALL_MY_PACKET_H
#define ROWCALL_MY_PACKET_H

#include "bytes.h"
#include "fingerprint/strbuf.h"

enum {
	MY_HEADER = 4,			/* length (3, little-endian) and sequence id */
	MY_PACKET_FULL = 0xffffff,	/* a packet of this length is continued by the next one */
	MY_SSL_REQUEST = 32,		/* payload bytes of an SSLRequest; the fixed part of a HandshakeResponse41 too */
};

/* Capabilities. LONG_PASSWORD is CLIENT_MYSQL to MariaDB: clear = the extended capabilities are valid. */
#define MY_CAP_MYSQL (1u << 0)
#define MY_CAP_CONNECT_WITH_DB (1u << 3)
#define MY_CAP_COMPRESS (1u << 5)
#define MY_CAP_PROTOCOL_41 (1u << 9)
#define MY_CAP_SSL (1u << 11)
#define MY_CAP_SECURE_CONNECTION (1u << 15)
#define MY_CAP_PLUGIN_AUTH (1u << 19)
#define MY_CAP_CONNECT_ATTRS (1u << 20)
#define MY_CAP_LENENC_AUTH (1u << 21)
#define MY_CAP_SESSION_TRACK (1u << 23)
#define MY_CAP_DEPRECATE_EOF (1u << 24)
#define MY_CAP_OPTIONAL_METADATA (1u << 25)
#define MY_CAP_ZSTD (1u << 26)
#define MY_CAP_QUERY_ATTRIBUTES (1u << 27)
#define MY_CAP_PROGRESS_OBSOLETE (1u << 29)

/* MariaDB's extended capabilities. */
#define MY_EXT_PROGRESS (1u << 0)
#define MY_EXT_COM_MULTI (1u << 1)
#define MY_EXT_METADATA (1u << 3)
#define MY_EXT_CACHE_METADATA (1u << 4)

/* Status flags of OK and EOF packets. */
enum {
	MY_STATUS_IN_TRANS = 0x0001,
	MY_STATUS_MORE_RESULTS = 0x0008,
	MY_STATUS_CURSOR = 0x0040,
	MY_STATUS_LAST_ROW = 0x0080,
	MY_STATUS_NO_BACKSLASH = 0x0200,
	MY_STATUS_SESSION_CHANGED = 0x4000,
	MY_STATUS_ANSI_QUOTES = 0x8000,	/* MariaDB */
};

/* First bytes of server packets; what they mean depends on the place. */
enum { MY_OK = 0x00, MY_MORE_DATA = 0x01, MY_INFILE = 0xfb, MY_EOF = 0xfe, MY_ERR = 0xff };

/* Commands. */
enum {
	MY_COM_QUIT = 0x01, MY_COM_INIT_DB = 0x02, MY_COM_QUERY = 0x03, MY_COM_FIELD_LIST = 0x04, MY_COM_REFRESH = 0x07,
	MY_COM_SHUTDOWN = 0x08, MY_COM_STATISTICS = 0x09, MY_COM_PROCESS_INFO = 0x0a, MY_COM_PROCESS_KILL = 0x0c, MY_COM_DEBUG = 0x0d,
	MY_COM_PING = 0x0e, MY_COM_CHANGE_USER = 0x11, MY_COM_BINLOG_DUMP = 0x12, MY_COM_REGISTER_SLAVE = 0x15, MY_COM_STMT_PREPARE = 0x16,
	MY_COM_STMT_EXECUTE = 0x17, MY_COM_STMT_SEND_LONG_DATA = 0x18, MY_COM_STMT_CLOSE = 0x19, MY_COM_STMT_RESET = 0x1a,
	MY_COM_SET_OPTION = 0x1b, MY_COM_STMT_FETCH = 0x1c, MY_COM_BINLOG_DUMP_GTID = 0x1e, MY_COM_RESET_CONNECTION = 0x1f,
	MY_COM_CLONE = 0x20, MY_COM_SUBSCRIBE_GROUP_REPLICATION = 0x21, MY_COM_STMT_BULK_EXECUTE = 0xfa, MY_COM_MULTI = 0xfe,
};

/* Column and parameter types that need telling apart. Everything else is a length-encoded string. */
enum {
	MY_TYPE_TINY = 1, MY_TYPE_SHORT = 2, MY_TYPE_LONG = 3, MY_TYPE_FLOAT = 4, MY_TYPE_DOUBLE = 5, MY_TYPE_NULL = 6,
	MY_TYPE_TIMESTAMP = 7, MY_TYPE_LONGLONG = 8, MY_TYPE_INT24 = 9, MY_TYPE_DATE = 10, MY_TYPE_TIME = 11, MY_TYPE_DATETIME = 12,
	MY_TYPE_YEAR = 13, MY_TYPE_NEWDATE = 14,
	MY_TYPE_UNSIGNED = 0x8000,	/* in wire_value.type and in the two type bytes of a parameter */
	MY_COLUMN_UNSIGNED = 0x0020,	/* in the flags of a column definition */
};

/* What a session speaks: server AND client, as relayed. */
struct my_dialect {
	uint32_t caps;
	uint32_t ext;	/* MariaDB's extended capabilities; 0 = the MySQL dialect */
};

/* A greeting of protocol 10. Spans are borrowed from the payload. */
struct my_greeting {
	uint32_t caps, ext, connection_id;
	size_t caps_low, caps_high;	/* where the two halves stand in the payload, for editing */
	struct span version, plugin;
};
/* False: not protocol 10 or cut short. */
bool my_greeting_read(struct span payload, struct my_greeting *g);

/* A HandshakeResponse41. Unread fields are empty. */
struct my_response {
	uint32_t caps, ext;
	uint8_t collation;
	struct span user, database, plugin, attributes;
};
/* common: the capabilities that decide the layout (server AND client). False: the tail could not be read; what was read is there. */
bool my_response_read(struct span payload, uint32_t server_caps, struct my_response *r);

/* The character set a collation number of a login belongs to, as character_set_client names it; empty when it is none of the usual. */
struct span my_charset_name(uint16_t collation);

/* One name and value of a connection-attribute block; false at its end or where it cannot be read. */
bool my_attribute_next(struct bytes *b, struct span *name, struct span *value);

struct my_ok {
	uint64_t affected, insert_id;
	uint16_t status;
	struct span changes;	/* session-track block; empty unless negotiated and present */
};
/* An OK packet, or the OK that replaces EOF. False: too short. */
bool my_ok_read(struct span payload, struct my_dialect d, struct my_ok *ok);
/* The end of definitions or rows in either dialect. */
bool my_end_read(struct span payload, struct my_dialect d, struct my_ok *ok);
/* True when a packet of this size that begins with 0xfe ends rows or definitions, rather than being one. */
static inline bool
my_is_end(uint64_t size, struct my_dialect d)
{
	return d.caps & MY_CAP_DEPRECATE_EOF ? size < MY_PACKET_FULL : size < 9;
}

/* Error number as text into code (at most 5 digits and NUL). False: cut short. */
bool my_err_read(struct span payload, char code[8]);
/* True for MariaDB's progress report, which looks like an error and is none. */
bool my_is_progress(struct span payload, struct my_dialect d);

/* Appends an ERR packet of our own; sqlstate NULL before capabilities are known. */
void my_err_write(struct strbuf *out, uint8_t seq, unsigned number, const char *sqlstate, const char *message);

#endif
