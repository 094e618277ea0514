/* SPDX-License-Identifier: Apache-2.0 */
/* version: see version.h. */
#include "version.h"

#include <event2/event.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <xxhash.h>

#include "fingerprint/sql.h"

void
version_print(FILE *out)
{
	unsigned hash = XXH_versionNumber();

	fprintf(out, "rowcall %s\nfingerprints version %d; libevent %s, %s, SQLite %s, xxHash %u.%u.%u\n", ROWCALL_VERSION, SQL_FINGERPRINT_VERSION,
	    event_get_version(), OpenSSL_version(OPENSSL_VERSION), sqlite3_libversion(), hash / 10000, hash / 100 % 100, hash % 100);
}
